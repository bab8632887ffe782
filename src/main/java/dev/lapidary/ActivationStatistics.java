package dev.lapidary;

/// How the values of one activation are distributed over a prompt.
///
/// @param layer             index of the layer; -1 for the embedding
/// @param stage             where in the layer
/// @param mean              of all values
/// @param standardDeviation of all values, around that mean
/// @param zeroFraction      values that are exactly 0, of all
public record ActivationStatistics(int layer, Stage stage, double mean, double standardDeviation, double zeroFraction) {
    /// Points of a layer.
    public enum Stage {
        /// The attention's output, projected, before its post-norm.
        ATTENTION,
        /// The output of the attention to an encoded text, projected, before its post-norm.
        CROSS_ATTENTION,
        /// The gated activation inside the feed-forward.
        GATED,
        /// The feed-forward's output before its post-norm.
        FEED_FORWARD,
        /// The residual stream after the layer.
        RESIDUAL
    }
}
