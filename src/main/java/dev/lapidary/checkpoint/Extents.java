package dev.lapidary.checkpoint;

/// Arithmetic on what files claim.
final class Extents {
    private Extents() {}

    /// The product of two numbers from 0 on. Throws `ArithmeticException` where it overflows a `long`, always with
    /// a message: those of `Math.multiplyExact` lose theirs once they are thrown often and compiled.
    static long multiply(long one, long other) {
        long product = one * other;
        if (product < 0 || Math.multiplyHigh(one, other) != 0) {
            throw new ArithmeticException("long overflow");
        }
        return product;
    }
}
