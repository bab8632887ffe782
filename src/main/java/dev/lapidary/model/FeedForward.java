package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ActivationObserver.Stage;
import org.jspecify.annotations.Nullable;

/// The feed-forward half of a layer: `residual += postNorm?(down(gelu(gate(x)) * up(x)))` with `x = preNorm(residual)`,
/// where there are experts their mixture added before the post-norm.
final class FeedForward {
    private final int index;
    private final float epsilon;
    private final LayerWeights weights;
    private final Kernels kernels;
    private final @Nullable MixtureOfExperts mixture;

    /// Standard deviations above the mean below which gates are cut off; null without the trait.
    private final @Nullable Float cutoff;

    FeedForward(int index, GemmaConfig config, LayerWeights weights, Kernels kernels) {
        this.index = index;
        this.epsilon = config.normEpsilon();
        this.weights = weights;
        this.kernels = kernels;
        double sparsity = config.layers().get(index).sparsity();
        cutoff = sparsity == 0 ? null : (float) NormalDistribution.quantile(sparsity);
        Experts experts = config.layers().get(index).experts();
        mixture = experts == null || weights.experts() == null
                ? null
                : new MixtureOfExperts(experts, epsilon, weights.experts(), kernels);
    }

    /// Adds to `activations.residual` `[seq, embedding]`.
    ///
    /// @param scratch of the experts, null where no layer has any
    void forward(Activations activations, @Nullable ExpertScratch scratch, @Nullable ActivationObserver observer) {
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
        if (mixture != null && scratch != null) {
            mixture.forward(activations, scratch);
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
        if (biases == null && cutoff == null && observer == null) {
            kernels.feedForward(normed, weights.gate(), weights.up(), weights.down(), gated, branch);
            return;
        }
        if (cutoff != null) {
            kernels.sparseGeglu(normed, weights.gate(), weights.up(), cutoff, gated);
        } else if (biases == null) {
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
