package dev.lapidary.model;

import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ExpertScratch.BatchViews;
import dev.lapidary.model.ExpertScratch.RowViews;
import dev.lapidary.model.ExpertWeights.Expert;
import java.lang.foreign.ValueLayout;

/// Experts beside a layer's feed-forward: `branch = norm(branch) + norm(sum of share * expert(norm(residual)))`. The
/// router sees a norm of its own of the residual stream. An expert runs once per batch, over all rows that use it.
///
/// Source: huggingface/transformers 5.14, `models/gemma4/modeling_gemma4.py`, `Gemma4TextDecoderLayer`.
final class MixtureOfExperts {
    private final Experts traits;
    private final float epsilon;
    private final ExpertWeights weights;
    private final Kernels kernels;
    private final float[] scales;

    MixtureOfExperts(Experts traits, float epsilon, ExpertWeights weights, Kernels kernels) {
        this.traits = traits;
        this.epsilon = epsilon;
        this.weights = weights;
        this.kernels = kernels;
        Matrix shares = weights.shares();
        scales = shares.data().asSlice(0, shares.elementBytes()).toArray(ValueLayout.JAVA_FLOAT);
    }

    /// Adds to `activations.branch` `[seq, embedding]`, the feed-forward's output; reads the residual stream that
    /// the feed-forward read.
    void forward(Activations activations, ExpertScratch scratch) {
        BatchViews batch = scratch.batch(activations.residual.rows());
        kernels.rmsNorm(activations.residual, weights.routerNorm(), epsilon, activations.normed);
        kernels.project(activations.normed, weights.router(), batch.scores());
        scratch.routing.choose(batch.scores(), scales);
        kernels.rmsNorm(activations.residual, weights.inputNorm(), epsilon, activations.normed);
        batch.mixtureBytes().fill((byte) 0);
        for (int i = 0; i < traits.count(); i++) {
            int count = scratch.routing.rows(i);
            if (count > 0) {
                addExpert(i, count, activations.normed, scratch, batch.mixture());
            }
        }
        kernels.rmsNorm(activations.branch, weights.denseNorm(), epsilon, activations.branch);
        kernels.rmsNormAdd(batch.mixture(), weights.outputNorm(), epsilon, activations.branch);
    }

    private void addExpert(int index, int count, Matrix in, ExpertScratch scratch, Matrix mixture) {
        Expert expert = weights.experts().get(index);
        int padded = ExpertScratch.padded(count);
        RowViews rows = scratch.rows(padded);
        scratch.routing.copy(index, padded, scratch.ids, scratch.shares);
        kernels.embed(in, scratch.ids, 1f, rows.inputs());
        kernels.geglu(rows.inputs(), expert.gate(), expert.up(), rows.gated());
        kernels.project(rows.gated(), expert.down(), rows.outputs());
        kernels.addScaledRows(scratch.rows(count).outputs(), scratch.ids, scratch.shares, mixture);
    }
}
