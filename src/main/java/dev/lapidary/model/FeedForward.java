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
        int seq = activations.normed.rows();
        int block = layer.gated.rows();
        if (seq == block) {
            branch(activations.normed, layer.gated, activations.branch, observer);
        } else {
            for (int from = 0; from < seq; from += block) {
                int rows = Math.min(block, seq - from);
                Matrix branch = activations.branch.rows(from, rows);
                branch(activations.normed.rows(from, rows), layer.gated.rows(0, rows), branch, observer);
            }
        }
        Decoder.observe(observer, index, Stage.FEED_FORWARD, activations.branch);
        if (weights.postFeedForwardNorm() != null) {
            kernels.rmsNormAdd(activations.branch, weights.postFeedForwardNorm(), epsilon, activations.residual);
        } else {
            kernels.add(activations.branch, activations.residual);
        }
    }

    private void branch(Matrix normed, Matrix gated, Matrix branch, @Nullable ActivationObserver observer) {
        FeedForwardBiases biases = weights.biases();
        if (biases == null && observer == null) {
            kernels.feedForward(normed, weights.gate(), weights.up(), weights.down(), gated, branch);
            return;
        }
        if (biases == null) {
            kernels.geglu(normed, weights.gate(), weights.up(), gated);
        } else {
            kernels.geglu(normed, weights.gate(), biases.gate(), weights.up(), biases.up(), gated);
        }
        Decoder.observe(observer, index, Stage.GATED, gated);
        kernels.project(gated, weights.down(), branch);
        if (biases != null) {
            kernels.addBias(biases.down(), branch);
        }
    }
}
