package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.StreamScratch.Views;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Alternating updates between streams, of which the residual stream is the first: layers compute on that one alone.
///
/// Source: huggingface/transformers 5.14, `models/gemma3n/modeling_gemma3n.py`, `Gemma3nTextAltUp`.
final class AlternatingUpdates {
    private final int count;
    private final float epsilon;
    private final Weights weights;
    private final AltUpProjections projections;
    private final Kernels kernels;
    private final StreamScratch scratch;

    AlternatingUpdates(GemmaConfig config, Weights weights, Kernels kernels, @Nullable StreamScratch scratch) {
        this.weights = weights;
        this.kernels = kernels;
        this.scratch = Objects.requireNonNull(scratch);
        count = Objects.requireNonNull(config.altUp()).streams();
        epsilon = config.normEpsilon();
        projections = Objects.requireNonNull(weights.altUp());
    }

    /// Makes the other streams of the embedding in `activations.residual`, each as large as it.
    void enter(Activations activations) {
        Views views = scratch.views(activations.residual.rows());
        for (int i = 0; i < count - 1; i++) {
            kernels.project(activations.residual, projections.enter().get(i), views.others.get(i));
            kernels.matchMagnitude(activations.residual, views.others.get(i));
        }
    }

    /// Before a layer: each stream becomes what it is predicted to be,
    /// `stream[k] += sum over j of share[k, j] * stream[j]`.
    void predict(int layer, Activations activations) {
        Views views = scratch.views(activations.residual.rows());
        AltUpWeights own = weights(layer);
        route(own, activations, views);
        kernels.matmulTransposed(own.prediction(), views.modalities, views.predictions);
        for (int k = 0; k < count; k++) {
            Matrix change = views.changes.get(k);
            views.changeBytes.get(k).fill((byte) 0);
            for (int j = 0; j < count; j++) {
                Matrix from = j == 0 ? activations.residual : views.others.get(j - 1);
                kernels.addScaledRows(from, scratch.rows, views.shares.get(k * count + j), change);
            }
        }
        kernels.add(views.changes.getFirst(), activations.residual);
        for (int k = 1; k < count; k++) {
            kernels.add(views.changes.get(k), views.others.get(k - 1));
        }
        // What the layer does not change is no innovation
        Matrix residual = activations.residual;
        MemorySegment.copy(residual.data(), 0, views.innovation.data(), 0, residual.elementBytes());
        kernels.scale(-1, views.innovation);
    }

    /// Behind a layer: each stream gets its share of what the layer made of the first beyond the prediction,
    /// `stream[k] = prediction[k] + (1 + share[k]) * innovation`.
    void correct(int layer, Activations activations) {
        Views views = scratch.views(activations.residual.rows());
        AltUpWeights own = weights(layer);
        kernels.add(activations.residual, views.innovation);
        route(own, activations, views);
        kernels.matmulTransposed(own.correction(), views.modalities, views.corrections);
        kernels.addScaledRows(views.innovation, scratch.rows, views.shares.getFirst(), activations.residual);
        for (int k = 1; k < count; k++) {
            Matrix stream = views.others.get(k - 1);
            kernels.addScaledRows(views.innovation, scratch.rows, views.shares.get(k), stream);
            kernels.add(views.innovation, stream);
        }
    }

    /// Behind the last layer: the residual stream becomes the mean of all, each as large as the first.
    void leave(Activations activations) {
        Views views = scratch.views(activations.residual.rows());
        List<Matrix> changes = views.changes;
        for (int i = 0; i < count - 1; i++) {
            kernels.project(views.others.get(i), projections.leave().get(i), changes.get(i));
            kernels.matchMagnitude(activations.residual, changes.get(i));
        }
        for (int i = 0; i < count - 1; i++) {
            kernels.add(changes.get(i), activations.residual);
        }
        kernels.scale(1f / count, activations.residual);
    }

    /// How much of each modality the first stream has: `tanh(router(norm(x)))`.
    private void route(AltUpWeights own, Activations activations, Views views) {
        kernels.rmsNorm(activations.residual, own.routerNorm(), epsilon, activations.normed);
        kernels.project(activations.normed, own.router(), views.modalities);
        kernels.softcap(views.modalities, 1);
    }

    private AltUpWeights weights(int layer) {
        return Objects.requireNonNull(weights.layers().get(layer).altUp());
    }
}
