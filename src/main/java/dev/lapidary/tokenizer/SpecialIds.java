package dev.lapidary.tokenizer;

/// The ids that frame a text: begin and end of sequence, padding, and the stand-in for what the vocabulary lacks.
record SpecialIds(int bos, int eos, int pad, int unknown) {
    /// Finds the control pieces of these names and the one piece of type `UNKNOWN`.
    static SpecialIds find(String source, Vocabulary vocabulary, String bos, String eos, String pad)
            throws TokenizerException {
        return new SpecialIds(
                control(source, vocabulary, bos),
                control(source, vocabulary, eos),
                control(source, vocabulary, pad),
                unknown(source, vocabulary));
    }

    private static int control(String source, Vocabulary vocabulary, String piece) throws TokenizerException {
        int id = vocabulary.find(piece);
        if (id < 0) {
            throw new TokenizerException("%s: no piece \"%s\"".formatted(source, piece));
        }
        if (!vocabulary.is(id, PieceType.CONTROL)) {
            throw new TokenizerException(
                    "%s: piece %d \"%s\" has type %s, need CONTROL".formatted(source, id, piece, vocabulary.type(id)));
        }
        return id;
    }

    private static int unknown(String source, Vocabulary vocabulary) throws TokenizerException {
        int unknown = -1;
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (vocabulary.is(id, PieceType.UNKNOWN)) {
                if (unknown >= 0) {
                    throw new TokenizerException(
                            "%s: pieces %d and %d both have type UNKNOWN, need one".formatted(source, unknown, id));
                }
                unknown = id;
            }
        }
        if (unknown < 0) {
            throw new TokenizerException("%s: no piece of type UNKNOWN".formatted(source));
        }
        return unknown;
    }
}
