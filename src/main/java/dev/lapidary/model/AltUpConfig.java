package dev.lapidary.model;

/// Alternating updates (Baykal et al. 2023): the residual stream is one of several. Layers compute on the first; what
/// they do to the others is predicted before each and corrected behind it.
///
/// @param streams      how many, the residual stream among them
/// @param scaledOutput whether per-layer embeddings see the first stream through a scale of each layer's own
public record AltUpConfig(int streams, boolean scaledOutput) {
    /// Beyond any model there is; a broken file must not make us allocate for billions.
    private static final int MOST = 64;

    /// Throws `IllegalArgumentException` unless there are at least two.
    public AltUpConfig {
        if (streams < 2 || streams > MOST) {
            throw new IllegalArgumentException("streams: got %d, need 2 to %d".formatted(streams, MOST));
        }
    }
}
