package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.GEMMA_MAX_HEAD_DIM;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_attend_tiles;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_attend_tiles_scratch;

import java.lang.foreign.MemorySegment;

/// Attention of many positions in the shim, by a CPU's matrix instructions (AMX): queries, keys, values and
/// probabilities are rounded to BF16, and scores are never written to memory beyond a core's cache.
final class TiledAttention implements AutoCloseable {
    private final int threads;
    private final GrowingScratch scratch = new GrowingScratch();

    /// @param threads size of the team that computes
    TiledAttention(int threads) {
        this.threads = threads;
    }

    /// Whether heads of this size can be attended.
    static boolean takes(int headDim) {
        return headDim <= GEMMA_MAX_HEAD_DIM();
    }

    /// As [Kernels#attendRows], which has checked the extents.
    void attend(
            Heads query,
            Heads keys,
            Heads values,
            int firstSlot,
            int count,
            MemorySegment begin,
            MemorySegment end,
            float softcap,
            Heads out) {
        int headDim = query.headDim();
        long bytes = gemma_attend_tiles_scratch(query.heads(), keys.heads(), headDim, query.rows(), threads);
        gemma_attend_tiles(
                out.data(),
                out.rowStride(),
                out.headStride(),
                query.data(),
                query.rowStride(),
                query.headStride(),
                keys.data(),
                values.data(),
                keys.headStride(),
                query.heads(),
                keys.heads(),
                headDim,
                query.rows(),
                keys.rows(),
                firstSlot,
                count,
                begin,
                end,
                softcap,
                scratch.atLeast(bytes));
    }

    @Override
    public void close() {
        scratch.close();
    }
}
