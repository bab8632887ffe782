package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;

/// Sees activations while they are computed; for inspection and tests, at the cost of nothing when there is none.
@FunctionalInterface
public interface ActivationObserver {
    /// Called on the driver thread; `activation` is only valid during the call.
    ///
    /// @param layer      index of the layer, -1 for the embedding, the number of layers for the final norm
    /// @param stage      what it is: [Stage#RESIDUAL] is the layer's output
    /// @param activation `[seq, width]`; of [Stage#GATED] perhaps some of the rows at a time
    void observe(int layer, Stage stage, Matrix activation);

    /// Points of a layer that can be observed.
    enum Stage {
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
