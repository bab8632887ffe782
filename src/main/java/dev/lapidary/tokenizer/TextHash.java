package dev.lapidary.tokenizer;

/// A polynomial hash of UTF-16 text, so that the hash of every part of a piece follows from the hashes of its
/// beginnings.
final class TextHash {
    private static final long BASE = 0x9E3779B97F4A7C55L;
    private static final long[] POWERS = powers();

    private TextHash() {}

    /// The hash of a text with `next` after it, from the text's own.
    static long extend(long hash, char next) {
        return hash * BASE + next + 1;
    }

    /// The hash of what follows a beginning: `whole` and `beginning` are hashes from the same start, `chars` what
    /// lies between.
    static long rest(long whole, long beginning, int chars) {
        return whole - beginning * POWERS[chars];
    }

    static long of(char[] text, int from, int to) {
        long hash = 0;
        for (int i = from; i < to; i++) {
            hash = extend(hash, text[i]);
        }
        return hash;
    }

    private static long[] powers() {
        long[] powers = new long[Vocabulary.MAX_PIECE_CHARS + 1];
        powers[0] = 1;
        for (int i = 1; i < powers.length; i++) {
            powers[i] = powers[i - 1] * BASE;
        }
        return powers;
    }
}
