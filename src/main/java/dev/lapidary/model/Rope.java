package dev.lapidary.model;

/// Rotary position embedding of a layer (Su et al. 2021), half-split as the checkpoints store it: pair (i, i + dims /
/// 2) turns by `position / factor * theta^(-2i / dims)` radians.
///
/// @param theta  base of the frequencies
/// @param factor linear scaling: positions are divided by it; 1 for none
/// @param dims   leading elements of a head that are paired
/// @param pairs  how many of the pairs turn, the first ones; the others stay as they are
public record Rope(double theta, double factor, int dims, int pairs) {
    /// Throws `IllegalArgumentException` if a value makes no angles.
    public Rope {
        if (!(theta > 0) || !(factor > 0) || dims <= 0 || dims % 2 != 0) {
            throw new IllegalArgumentException(
                    "rope: got theta %s, factor %s, %d dims, need positive numbers and even dims"
                            .formatted(theta, factor, dims));
        }
        if (pairs < 0 || pairs > dims / 2) {
            throw new IllegalArgumentException("rope: got %d pairs that turn, need 0 to %d".formatted(pairs, dims / 2));
        }
    }

    /// All pairs turn.
    public Rope(double theta, double factor, int dims) {
        this(theta, factor, dims, dims / 2);
    }

    /// Radians per position of each pair, `dims / 2` of them.
    double[] inverseFrequencies() {
        double[] frequencies = new double[dims / 2];
        for (int i = 0; i < pairs; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / dims) / factor;
        }
        return frequencies;
    }
}
