package dev.lapidary.tokenizer;

/// Finds in every piece the pairs of characters it spans and the pairs of symbols it is made of.
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

    /// Adds to `table` every way to put a piece together from two symbols, and the spans.
    void addSplits(MergeTable table) throws TokenizerException {
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (vocabulary.type(id).mergeable()) {
                addSpans(table, id);
                addSplits(table, id);
            }
        }
    }

    /// Adds to `table` the spans only.
    void addSpans(MergeTable table) {
        for (int id = 0; id < vocabulary.pieces(); id++) {
            if (vocabulary.type(id).mergeable()) {
                addSpans(table, id);
            }
        }
    }

    private void addSpans(MergeTable table, int id) {
        char[] texts = vocabulary.texts();
        int end = vocabulary.end(id);
        int at = vocabulary.start(id);
        int left = Character.codePointAt(texts, at, end);
        while ((at += Character.charCount(left)) < end) {
            int right = Character.codePointAt(texts, at, end);
            table.addSpan(alphabet.symbol(left), alphabet.symbol(right));
            left = right;
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
                table.addMerge(left, right, id);
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
