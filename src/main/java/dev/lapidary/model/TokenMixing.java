package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.model.ActivationObserver.Stage;
import org.jspecify.annotations.Nullable;

/// The first half of a layer: `residual += postNorm?(output(mix(input(x))))` with `x = preNorm(residual)`, mixing by
/// attention or by a recurrence; with a second residual beside it the two are added and divided by sqrt(2).
final class TokenMixing {
    private static final float ROOT_HALF = (float) Math.sqrt(0.5);

    private final int index;
    private final float epsilon;
    private final LayerWeights weights;
    private final Kernels kernels;
    private final TokenMixer mixer;

    TokenMixing(int index, GemmaConfig config, LayerWeights weights, Kernels kernels) {
        this.index = index;
        this.epsilon = config.normEpsilon();
        this.weights = weights;
        this.kernels = kernels;
        LayerConfig traits = config.layers().get(index);
        RecurrenceWeights recurrence = weights.recurrence();
        mixer = recurrence == null
                ? new Attention(index, traits, epsilon, weights, kernels)
                : new Recurrence(index, recurrence, kernels);
    }

    /// Adds to `activations.residual` `[seq, embedding]` and extends the caches of the batch.
    void forward(
            Batch batch,
            Activations activations,
            Workspace.AttentionScratch scratch,
            @Nullable ActivationObserver observer) {
        Activations.Layer layer = activations.layer(index);
        kernels.rmsNorm(activations.residual, weights.preAttentionNorm(), epsilon, activations.normed);
        kernels.project(activations.normed, weights.inputProjection(), layer.projected);
        mixer.forward(batch, activations, scratch);
        kernels.project(layer.mixed, weights.outputProjection(), activations.branch);
        if (weights.outputBias() != null) {
            kernels.addBias(weights.outputBias(), activations.branch);
        }
        Decoder.observe(observer, index, Stage.ATTENTION, activations.branch);
        if (weights.postAttentionNorm() != null) {
            kernels.rmsNormAdd(activations.branch, weights.postAttentionNorm(), epsilon, activations.residual);
        } else {
            kernels.add(activations.branch, activations.residual);
        }
        if (weights.laurel() != null) {
            addLaurel(weights.laurel(), activations);
        }
    }

    /// `residual = (residual + x + norm(right(left(x)))) / sqrt(2)`, x what attention has seen.
    private void addLaurel(LaurelWeights laurel, Activations activations) {
        kernels.project(activations.normed, laurel.left(), activations.laurel);
        kernels.project(activations.laurel, laurel.right(), activations.branch);
        kernels.rmsNormAdd(activations.branch, laurel.norm(), epsilon, activations.residual);
        kernels.add(activations.normed, activations.residual);
        kernels.scale(ROOT_HALF, activations.residual);
    }
}
