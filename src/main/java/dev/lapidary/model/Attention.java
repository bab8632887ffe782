package dev.lapidary.model;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Kernels.RopeTable;
import dev.lapidary.kernels.Matrix;
import org.jspecify.annotations.Nullable;

/// Attention over the keys and values in the cache, its own included.
final class Attention implements TokenMixer {
    /// Rows of one block of queries in a long run.
    static final int MAX_BLOCK_ROWS = 128;

    /// Runs up to this many tokens attend one position at a time, in one pass over the cache; longer ones by GEMM.
    static final int MAX_SINGLE_ROWS = 4;

    private final int index;
    private final LayerConfig traits;
    private final float epsilon;
    private final LayerWeights weights;
    private final Kernels kernels;
    private final BlockAttention blocks;

    Attention(int index, LayerConfig traits, float epsilon, LayerWeights weights, Kernels kernels) {
        this.index = index;
        this.traits = traits;
        this.epsilon = epsilon;
        this.weights = weights;
        this.kernels = kernels;
        blocks = new BlockAttention(traits, kernels);
    }

    @Override
    public void forward(Batch batch, Activations activations, Workspace.AttentionScratch scratch) {
        Activations.AttentionLayer layer = activations.attention(index);
        kernels.headNormRope(
                layer.queries, weights.queryNorm(), epsilon, layer.rope, traits.queryScale(), layer.queries);
        for (int i = 0; i < batch.runs(); i++) {
            Batch.Run run = batch.run(i);
            Heads keys = run.cache().keys(index);
            Heads values = run.cache().values(index);
            if (!traits.keyValues().isShared()) {
                store(layer.keys, weights.keyNorm(), layer.rope, run, keys);
                store(layer.values, weights.valueNorm(), null, run, values);
            }
            if (run.rows() <= MAX_SINGLE_ROWS) {
                attendSingly(layer, run, keys, values);
            } else {
                blocks.forward(layer, run, keys, values, scratch);
            }
        }
    }

    /// Writes the run's keys or values into their slots, in two parts where the ring wraps.
    private void store(Heads source, @Nullable Matrix norm, @Nullable RopeTable rope, Batch.Run run, Heads slots) {
        int done = 0;
        while (done < run.rows()) {
            int slot = (run.position() + done) % slots.rows();
            int count = Math.min(run.rows() - done, slots.rows() - slot);
            int row = run.row() + done;
            kernels.headNormRope(source, row, count, norm, epsilon, rope, 1f, slots, slot);
            done += count;
        }
    }

    private void attendSingly(Activations.AttentionLayer layer, Batch.Run run, Heads keys, Heads values) {
        for (int i = 0; i < run.rows(); i++) {
            int position = run.position() + i;
            int first = firstVisible(traits, position);
            kernels.attend(
                    layer.queryRow(run.row() + i),
                    keys,
                    values,
                    first % keys.rows(),
                    end(traits, run, position) - first,
                    traits.softcap(),
                    layer.mixedRow(run.row() + i));
        }
    }

    /// One past the last position that a query at `position` of `run` sees.
    static int end(LayerConfig traits, Batch.Run run, int position) {
        return traits.bidirectional() ? end(traits, position, run.position() + run.rows()) : run.end(position);
    }

    /// The same in a sequence of `length` tokens without spans.
    static int end(LayerConfig traits, int position, int length) {
        if (!traits.bidirectional()) {
            return position + 1;
        }
        return traits.attention() == AttentionType.GLOBAL ? length : Math.min(length, position + traits.window());
    }

    /// The oldest position that a query at `position` sees.
    static int firstVisible(LayerConfig traits, int position) {
        return traits.attention() == AttentionType.GLOBAL ? 0 : Math.max(0, position - traits.window() + 1);
    }
}
