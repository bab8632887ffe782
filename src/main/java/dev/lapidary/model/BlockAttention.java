package dev.lapidary.model;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Workspace.AttentionScratch;
import java.lang.foreign.ValueLayout;

/// Attention of many positions of one sequence: at once where the kernels do, else by GEMM, blocks of queries against
/// just the keys that some query of the block sees, the softmax between the two products. Keys outside the window of
/// the whole block are never computed.
final class BlockAttention {
    private final LayerConfig traits;
    private final Kernels kernels;

    BlockAttention(LayerConfig traits, Kernels kernels) {
        this.traits = traits;
        this.kernels = kernels;
    }

    /// Attends all rows of `run`, whose keys and values are in the cache by then; writes `layer.mixed`.
    void forward(Activations.AttentionLayer layer, Batch.Run run, Heads keys, Heads values, AttentionScratch scratch) {
        if (!attendAtOnce(layer, run, keys, values, scratch)) {
            attendByBlocks(layer, run, keys, values, scratch);
        }
    }

    private boolean attendAtOnce(
            Activations.AttentionLayer layer, Batch.Run run, Heads keys, Heads values, AttentionScratch scratch) {
        int rows = run.rows();
        int first = Attention.firstVisible(traits, run.position());
        fillSpans(run, run.position(), rows, first, scratch);
        return kernels.attendRows(
                layer.queries.rows(run.row(), rows),
                keys,
                values,
                first % keys.rows(),
                Attention.end(traits, run, run.position() + rows - 1) - first,
                scratch.begin(),
                scratch.end(),
                traits.softcap(),
                Heads.of(layer.mixed.rows(run.row(), rows), traits.headDim()));
    }

    private void attendByBlocks(
            Activations.AttentionLayer layer, Batch.Run run, Heads keys, Heads values, AttentionScratch scratch) {
        int done = 0;
        while (done < run.rows()) {
            int position = run.position() + done;
            int rows = blockRows(run, position, run.rows() - done);
            int first = alignDown(Attention.firstVisible(traits, position));
            int kvSeq = alignUp(Attention.end(traits, run, position + rows - 1)) - first;
            fillSpans(run, position, rows, first, scratch);
            Matrix scores =
                    Matrix.dense(scratch.scores().data(), scratch.scores().type(), rows, kvSeq);
            for (int head = 0; head < traits.heads(); head++) {
                Matrix query = layer.queries.head(head, run.row() + done, rows);
                Matrix out = layer.mixed.rows(run.row() + done, rows).cols(head * traits.headDim(), traits.headDim());
                attend(query, head / traits.headsPerKv(), keys, values, first, scores, scratch, out);
            }
            done += rows;
        }
    }

    private void attend(
            Matrix query,
            int kvHead,
            Heads keys,
            Heads values,
            int first,
            Matrix scores,
            AttentionScratch scratch,
            Matrix out) {
        int firstSlot = first % keys.rows();
        int before = Math.min(scores.cols(), keys.rows() - firstSlot);
        int wrapped = scores.cols() - before;
        kernels.matmulTransposed(query, keys.head(kvHead, firstSlot, before), scores.cols(0, before));
        if (wrapped > 0) {
            kernels.matmulTransposed(query, keys.head(kvHead, 0, wrapped), scores.cols(before, wrapped));
        }
        kernels.softcapSoftmax(scores, scratch.begin(), scratch.end(), traits.softcap());
        kernels.matmul(scores.cols(0, before), values.head(kvHead, firstSlot, before), out);
        if (wrapped > 0) {
            Matrix rest =
                    Matrix.dense(scratch.spilled().data(), scratch.spilled().type(), out.rows(), out.cols());
            kernels.matmul(scores.cols(before, wrapped), values.head(kvHead, 0, wrapped), rest);
            kernels.add(rest, out);
        }
    }

    /// As many rows as the scores have room for.
    private int blockRows(Batch.Run run, int position, int rows) {
        int most = Math.min(rows, Attention.MAX_BLOCK_ROWS);
        int first = alignDown(Attention.firstVisible(traits, position));
        int kvSeq = alignUp(Attention.end(traits, run, position + most - 1)) - first;
        return Math.clamp(Workspace.MAX_SCORES / kvSeq, 1, most);
    }

    /// Columns that each row sees, counted from position `first`.
    private void fillSpans(Batch.Run run, int position, int rows, int first, AttentionScratch scratch) {
        for (int i = 0; i < rows; i++) {
            int begin = Attention.firstVisible(traits, position + i) - first;
            scratch.begin().setAtIndex(ValueLayout.JAVA_INT, i, begin);
            scratch.end().setAtIndex(ValueLayout.JAVA_INT, i, Attention.end(traits, run, position + i) - first);
        }
    }

    private static int alignDown(int position) {
        return position / KvCache.SLOT_ALIGNMENT * KvCache.SLOT_ALIGNMENT;
    }

    private static int alignUp(int position) {
        return (position + KvCache.SLOT_ALIGNMENT - 1) / KvCache.SLOT_ALIGNMENT * KvCache.SLOT_ALIGNMENT;
    }
}
