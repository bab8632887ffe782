package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.model.ActivationObserver.Stage;
import org.jspecify.annotations.Nullable;

/// The feed-forward half of a layer: `residual += postNorm?(down(gelu(gate(x)) * up(x)))` with `x = preNorm(residual)`.
final class FeedForward {
    private final int index;
    private final float epsilon;
    private final LayerWeights weights;
    private final Kernels kernels;

    FeedForward(int index, GemmaConfig config, LayerWeights weights, Kernels kernels) {
        this.index = index;
        this.epsilon = config.normEpsilon();
        this.weights = weights;
        this.kernels = kernels;
    }

    /// Adds to `activations.residual` `[seq, embedding]`.
    void forward(Activations activations, @Nullable ActivationObserver observer) {
        Activations.Layer layer = activations.layer(index);
        kernels.rmsNorm(activations.residual, weights.preFeedForwardNorm(), epsilon, activations.normed);
        FeedForwardBiases biases = weights.biases();
        if (biases == null) {
            kernels.geglu(activations.normed, weights.gate(), weights.up(), layer.gated);
        } else {
            kernels.geglu(activations.normed, weights.gate(), biases.gate(), weights.up(), biases.up(), layer.gated);
        }
        Decoder.observe(observer, index, Stage.GATED, layer.gated);
        kernels.project(layer.gated, weights.down(), activations.branch);
        if (biases != null) {
            kernels.addBias(biases.down(), activations.branch);
        }
        Decoder.observe(observer, index, Stage.FEED_FORWARD, activations.branch);
        if (weights.postFeedForwardNorm() != null) {
            kernels.rmsNormAdd(activations.branch, weights.postFeedForwardNorm(), epsilon, activations.residual);
        } else {
            kernels.add(activations.branch, activations.residual);
        }
    }
}
