package dev.lapidary.tokenizer;

import java.util.Arrays;

/// SentencePiece's way to merge: any two symbols whose texts together are a piece, the piece with the highest
/// score first. Finds the pairs of symbols that every piece can be put together from.
final class PieceSplitter {
    private static final int LIKELY_BITS = 22; // 512 KB, which a core's cache holds

    private final String source;
    private final Vocabulary vocabulary;
    private final Alphabet alphabet;
    private final char[] texts;
    private final long[] hashes = new long[Vocabulary.MAX_PIECE_CHARS + 1]; // of a piece's beginnings, by their length
    private final long[] likely = new long[1 << (LIKELY_BITS - 6)]; // one bit for each hash that a piece has

    PieceSplitter(String source, Vocabulary vocabulary, Alphabet alphabet) {
        this.source = source;
        this.vocabulary = vocabulary;
        this.alphabet = alphabet;
        this.texts = vocabulary.texts();
        for (int id = 0; id < vocabulary.pieces(); id++) {
            int bit = likelyBit(TextHash.of(texts, vocabulary.start(id), vocabulary.end(id)));
            likely[bit >>> 6] |= 1L << bit;
        }
    }

    /// The merges of a model with these scores, one for each piece.
    MergeTable table(float[] scores) throws TokenizerException {
        int[] ranks = ranks(scores);
        MergeTable table = new MergeTable(2 * ranks.length); // so many Gemma's have
        for (int id = 0; id < ranks.length; id++) {
            if (vocabulary.type(id).mergeable()) {
                addSplits(table, id, ranks[id]);
            }
        }
        return table;
    }

    /// The place of each score among all, highest first; equal scores share one.
    private int[] ranks(float[] scores) throws TokenizerException {
        float[] sorted = new float[scores.length];
        for (int id = 0; id < scores.length; id++) {
            if (!Float.isFinite(scores[id])) {
                throw new TokenizerException(
                        "%s: piece %d: got score %s, need a finite one".formatted(source, id, scores[id]));
            }
            sorted[id] = 0 - scores[id]; // 0 and -0 give the same
        }
        Arrays.sort(sorted);
        int distinct = 1;
        for (int i = 1; i < sorted.length; i++) {
            if (sorted[i] != sorted[distinct - 1]) {
                sorted[distinct++] = sorted[i];
            }
        }
        int[] ranks = new int[scores.length];
        for (int id = 0; id < scores.length; id++) {
            ranks[id] = Arrays.binarySearch(sorted, 0, distinct, 0 - scores[id]);
        }
        return ranks;
    }

    private void addSplits(MergeTable table, int id, int rank) throws TokenizerException {
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
            long leftHash = hashes[at - start];
            long rightHash = TextHash.rest(whole, leftHash, end - at);
            if (isLikely(leftHash, at - start) && isLikely(rightHash, end - at)) {
                int left = symbol(leftHash, start, at);
                int right = symbol(rightHash, at, end);
                if (left != Alphabet.NONE && right != Alphabet.NONE) {
                    addSplit(table, id, rank, left, right, at);
                }
            }
        }
    }

    private void addSplit(MergeTable table, int id, int rank, int left, int right, int middle)
            throws TokenizerException {
        if (vocabulary.is(id, PieceType.UNUSED)) {
            throw new TokenizerException(
                    "%s: piece %d \"%s\": got type UNUSED for a piece that text can reach, need NORMAL"
                            .formatted(source, id, vocabulary.text(id)));
        }
        int leftEnd = alphabet.symbol(Character.codePointBefore(texts, middle, vocabulary.start(id)));
        int rightStart = alphabet.symbol(Character.codePointAt(texts, middle, vocabulary.end(id)));
        table.add(left, right, rank, id, leftEnd, rightStart);
    }

    /// Whether a text of so many chars may be a symbol. Most are not, and this says so without a look at the
    /// pieces.
    private boolean isLikely(long hash, int chars) {
        int bit = likelyBit(hash);
        return chars <= 2 || ((likely[bit >>> 6] >>> bit) & 1) != 0;
    }

    private static int likelyBit(long hash) {
        return (int) ((hash * 0x9E3779B97F4A7C15L) >>> (Long.SIZE - LIKELY_BITS));
    }

    private int symbol(long hash, int from, int to) {
        int first = Character.codePointAt(texts, from, to);
        if (from + Character.charCount(first) == to) {
            return alphabet.symbol(first);
        }
        int id = vocabulary.find(hash, texts, from, to);
        return id >= 0 && vocabulary.type(id).mergeable() ? id : Alphabet.NONE;
    }
}
