package dev.lapidary.tokenizer;

/// Finds the pairs of symbols that every piece can be put together from.
final class PieceSplitter {
    private final String source;
    private final Vocabulary vocabulary;
    private final Alphabet alphabet;
    private final long[] hashes =
            new long[Vocabulary.MAX_PIECE_CHARS + 1]; // of the piece's beginnings, by their length

    PieceSplitter(String source, Vocabulary vocabulary, Alphabet alphabet) {
        this.source = source;
        this.vocabulary = vocabulary;
        this.alphabet = alphabet;
    }

    /// Adds to `table` every way to put a piece together from two symbols.
    void addSplits(MergeTable table) throws TokenizerException {
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (vocabulary.type(id).mergeable()) {
                addSplits(table, id);
            }
        }
    }

    private void addSplits(MergeTable table, int id) throws TokenizerException {
        char[] texts = vocabulary.texts();
        int start = vocabulary.start(id);
        int end = vocabulary.end(id);
        for (int at = start; at < end; at++) {
            hashes[at - start + 1] = TextHash.extend(hashes[at - start], texts[at]);
        }
        long whole = hashes[end - start];
        for (int at = start + 1; at < end; at++) {
            if (Character.isLowSurrogate(texts[at])) {
                continue;
            }
            int left = symbol(hashes[at - start], start, at);
            if (left == Alphabet.NONE) {
                continue;
            }
            int right = symbol(TextHash.rest(whole, hashes[at - start], end - at), at, end);
            if (right != Alphabet.NONE) {
                requireUsed(id);
                int leftEnd = alphabet.symbol(Character.codePointBefore(texts, at, start));
                int rightStart = alphabet.symbol(Character.codePointAt(texts, at, end));
                table.addMerge(left, right, id, leftEnd, rightStart);
            }
        }
    }

    private int symbol(long hash, int from, int to) {
        char[] texts = vocabulary.texts();
        int first = Character.codePointAt(texts, from, to);
        if (from + Character.charCount(first) == to) {
            return alphabet.symbol(first);
        }
        int id = vocabulary.find(hash, texts, from, to);
        return id >= 0 && vocabulary.type(id).mergeable() ? id : Alphabet.NONE;
    }

    private void requireUsed(int id) throws TokenizerException {
        if (vocabulary.is(id, PieceType.UNUSED)) {
            throw new TokenizerException(
                    "%s: piece %d \"%s\": got type UNUSED for a piece that text can reach, need NORMAL"
                            .formatted(source, id, vocabulary.text(id)));
        }
    }
}
