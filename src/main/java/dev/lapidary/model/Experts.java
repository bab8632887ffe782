package dev.lapidary.model;

/// A mixture of experts beside a layer's feed-forward: small feed-forwards, a few of which a router chooses for each
/// token.
///
/// @param count   experts there are
/// @param used    experts that a token uses, at most `count`
/// @param neurons width of one expert
public record Experts(int count, int used, int neurons) {
    /// Beyond any mixture there is; a broken file must not make us allocate for billions.
    private static final int MOST = 4096;

    /// Throws `IllegalArgumentException` naming what does not fit.
    public Experts {
        if (count < 1 || count > MOST || used < 1 || used > count || neurons < 1) {
            throw new IllegalArgumentException(
                    "experts: got %d of %d with %d neurons, need at least 1 of at most %d with at least 1"
                            .formatted(used, count, neurons, MOST));
        }
    }
}
