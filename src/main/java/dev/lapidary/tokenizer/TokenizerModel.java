package dev.lapidary.tokenizer;

/// What a tokenizer file says, whatever its format.
///
/// `source` names the file in messages, `unknownSurface` is what the unknown piece decodes to.
record TokenizerModel(
        String source,
        Vocabulary vocabulary,
        Alphabet alphabet,
        MergeTable merges,
        SpecialIds special,
        ByteIds bytes,
        String unknownSurface) {
    /// How pieces spell a space.
    static final char SPACE = '\u2581';

    /// What the unknown piece decodes to unless the file says otherwise.
    static final String UNKNOWN_SURFACE = " \u2047 ";

    /// A SentencePiece model: one score for each piece.
    static TokenizerModel ofScores(
            String source, Vocabulary vocabulary, float[] scores, SpecialIds special, String unknownSurface)
            throws TokenizerException {
        Alphabet alphabet = new Alphabet(source, vocabulary);
        MergeTable merges = new PieceSplitter(source, vocabulary, alphabet).table(scores);
        ByteIds bytes = ByteIds.find(source, vocabulary);
        return new TokenizerModel(source, vocabulary, alphabet, merges, special, bytes, unknownSurface);
    }

    /// A Hugging Face model: merges in the order of their ranks.
    static TokenizerModel ofMerges(String source, Vocabulary vocabulary, MergeList list, SpecialIds special)
            throws TokenizerException {
        Alphabet alphabet = new Alphabet(source, vocabulary);
        MergeTable merges = list.table(vocabulary, alphabet);
        ByteIds bytes = ByteIds.find(source, vocabulary);
        return new TokenizerModel(source, vocabulary, alphabet, merges, special, bytes, UNKNOWN_SURFACE);
    }
}
