package dev.lapidary.model;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ActivationObserver.Stage;
import dev.lapidary.model.Workspace.AttentionScratch;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// Attention to an encoded text, all of which every token sees, without positions: `residual +=
/// postNorm?(output(attend(query(x))))` with `x = preNorm(residual)`.
final class CrossAttention {
    private final int index;
    private final LayerConfig traits;
    private final float epsilon;
    private final CrossAttentionWeights weights;
    private final Kernels kernels;

    CrossAttention(int index, GemmaConfig config, CrossAttentionWeights weights, Kernels kernels) {
        this.index = index;
        this.traits = config.layers().get(index);
        this.epsilon = config.normEpsilon();
        this.weights = weights;
        this.kernels = kernels;
    }

    /// Adds to `activations.residual` `[seq, embedding]`.
    ///
    /// @throws IllegalStateException if there is no text to attend to
    void forward(
            Batch batch, Activations activations, AttentionScratch scratch, @Nullable ActivationObserver observer) {
        Activations.AttentionLayer layer = activations.attention(index);
        kernels.rmsNorm(activations.residual, weights.preNorm(), epsilon, activations.normed);
        kernels.project(activations.normed, weights.query(), layer.crossQueryRows);
        kernels.headNormRope(layer.crossQueries, null, epsilon, null, traits.queryScale(), layer.crossQueries);
        for (int i = 0; i < batch.runs(); i++) {
            Batch.Run run = batch.run(i);
            if (run.rows() <= Attention.MAX_SINGLE_ROWS) {
                attendSingly(layer, run, run.cache().encoded());
            } else {
                attendManyRows(layer, run, run.cache().encoded(), scratch);
            }
        }
        kernels.project(layer.mixed, weights.output(), activations.branch);
        Decoder.observe(observer, index, Stage.CROSS_ATTENTION, activations.branch);
        if (weights.postNorm() != null) {
            kernels.rmsNormAdd(activations.branch, weights.postNorm(), epsilon, activations.residual);
        } else {
            kernels.add(activations.branch, activations.residual);
        }
    }

    private void attendSingly(Activations.AttentionLayer layer, Batch.Run run, EncodedText text) {
        for (int row = run.row(); row < run.row() + run.rows(); row++) {
            kernels.attend(
                    layer.crossQueryRow(row),
                    text.keys(index),
                    text.values(index),
                    0,
                    text.tokens(),
                    traits.softcap(),
                    layer.mixedRow(row));
        }
    }

    /// At once where the kernels do, else by GEMM, as [BlockAttention] does it.
    private void attendManyRows(
            Activations.AttentionLayer layer, Batch.Run run, EncodedText text, AttentionScratch scratch) {
        for (int i = 0; i < run.rows(); i++) {
            scratch.begin().setAtIndex(ValueLayout.JAVA_INT, i, 0);
            scratch.end().setAtIndex(ValueLayout.JAVA_INT, i, text.tokens());
        }
        boolean done = kernels.attendRows(
                layer.crossQueries.rows(run.row(), run.rows()),
                text.keys(index),
                text.values(index),
                0,
                text.tokens(),
                scratch.begin(),
                scratch.end(),
                traits.softcap(),
                Heads.of(layer.mixed.rows(run.row(), run.rows()), traits.headDim()));
        if (!done) {
            attendByBlocks(layer, run, text, scratch);
        }
    }

    private void attendByBlocks(
            Activations.AttentionLayer layer, Batch.Run run, EncodedText text, AttentionScratch scratch) {
        int slots = text.keys(index).rows();
        int most = Math.clamp(Workspace.MAX_SCORES / slots, 1, Attention.MAX_BLOCK_ROWS);
        for (int done = 0; done < run.rows(); done += most) {
            int rows = Math.min(most, run.rows() - done);
            Matrix scores =
                    Matrix.dense(scratch.scores().data(), scratch.scores().type(), rows, slots);
            for (int head = 0; head < traits.heads(); head++) {
                int kvHead = head / traits.headsPerKv();
                Matrix query = layer.crossQueries.head(head, run.row() + done, rows);
                Matrix out = layer.mixed.rows(run.row() + done, rows).cols(head * traits.headDim(), traits.headDim());
                kernels.matmulTransposed(query, text.keys(index).head(kvHead, 0, slots), scores);
                kernels.softcapSoftmax(scores, scratch.begin(), scratch.end(), traits.softcap());
                kernels.matmul(scores, text.values(index).head(kvHead, 0, slots), out);
            }
        }
    }
}
