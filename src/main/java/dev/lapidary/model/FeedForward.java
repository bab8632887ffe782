package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
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
        if (biases == null && observer == null) {
            kernels.feedForward(
                    activations.normed, weights.gate(), weights.up(), weights.down(), layer.gated, activations.branch);
        } else {
            gateAndProject(activations.normed, layer.gated, biases, activations.branch, observer);
        }
        Decoder.observe(observer, index, Stage.FEED_FORWARD, activations.branch);
        if (weights.postFeedForwardNorm() != null) {
            kernels.rmsNormAdd(activations.branch, weights.postFeedForwardNorm(), epsilon, activations.residual);
        } else {
            kernels.add(activations.branch, activations.residual);
        }
    }

    private void gateAndProject(
            Matrix in,
            Matrix gated,
            @Nullable FeedForwardBiases biases,
            Matrix out,
            @Nullable ActivationObserver observer) {
        if (biases == null) {
            kernels.geglu(in, weights.gate(), weights.up(), gated);
        } else {
            kernels.geglu(in, weights.gate(), biases.gate(), weights.up(), biases.up(), gated);
        }
        Decoder.observe(observer, index, Stage.GATED, gated);
        kernels.project(gated, weights.down(), out);
        if (biases != null) {
            kernels.addBias(biases.down(), out);
        }
    }
}
