package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.GEMMA_MAX_HEAD_DIM;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_attend_tiles_scratch;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_attend_wide_scratch;

import dev.lapidary.bindings.shim.GemmaKernels;
import java.lang.foreign.MemorySegment;

/// Attention of many positions in the shim: scores are never written to memory beyond a core's cache. By a CPU's matrix
/// instructions (AMX), which round queries, keys, values and probabilities to BF16; else in F32.
final class RowAttention implements AutoCloseable {
    private final int threads;
    private final boolean tiled;
    private final GrowingScratch scratch = new GrowingScratch();

    /// @param threads size of the team that computes
    /// @param tiled   by matrix instructions, which the CPU has
    RowAttention(int threads, boolean tiled) {
        this.threads = threads;
        this.tiled = tiled;
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
        boolean tiles = tiled && headDim <= GEMMA_MAX_HEAD_DIM();
        long bytes = tiles
                ? gemma_attend_tiles_scratch(query.heads(), keys.heads(), headDim, query.rows(), threads)
                : gemma_attend_wide_scratch(headDim, threads);
        Kernel kernel = tiles ? GemmaKernels::gemma_attend_tiles : GemmaKernels::gemma_attend_wide;
        kernel.attend(
                out.data(),
                out.rowStride(),
                out.headStride(),
                query.data(),
                query.rowStride(),
                query.headStride(),
                keys.data(),
                values.data(),
                NativeKernels.elementType(keys),
                keys.rowStride(),
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

    /// What both kernels take, in the order of the shim's header.
    @FunctionalInterface
    private interface Kernel {
        void attend(
                MemorySegment out,
                long outRow,
                long outHead,
                MemorySegment q,
                long qRow,
                long qHead,
                MemorySegment k,
                MemorySegment v,
                int kvType,
                long kvRow,
                long kvHead,
                long heads,
                long kvHeads,
                long headDim,
                long rows,
                long slots,
                long firstSlot,
                long count,
                MemorySegment begin,
                MemorySegment end,
                float softcap,
                MemorySegment scratch);
    }
}
