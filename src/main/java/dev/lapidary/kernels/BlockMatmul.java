package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_matmul_blocks;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_matmul_geglu_blocks;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_matmul_group_blocks;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_quantize_rows_blocks;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_quantized_blocks_bytes;

import java.lang.foreign.MemorySegment;

/// Multiplies a few rows by [BlockMatrix] weights in place in the shim, which streams them from memory once for all
/// rows. The rows are quantized first, to int8 with a scale per 32 columns, since quants are multiplied faster than the
/// numbers they stand for.
final class BlockMatmul implements AutoCloseable {
    private final GrowingScratch quantized = new GrowingScratch();

    void project(Matrix in, BlockMatrix w, Matrix out) {
        int type = w.blockType().number();
        gemma_matmul_blocks(out.data(), out.stride(), quantize(in), w.blocks(), type, in.rows(), w.rows(), w.cols());
    }

    /// Projects to matrices side by side in one pass.
    ///
    /// @param types the parts' block types
    void projectGroup(Matrix in, Projection weights, MemorySegment types, Matrix out) {
        gemma_matmul_group_blocks(
                out.data(),
                out.stride(),
                quantize(in),
                weights.partPointers(),
                types,
                weights.partRows(),
                weights.parts().size(),
                in.rows(),
                weights.cols());
    }

    void geglu(Matrix in, BlockMatrix gate, BlockMatrix up, Matrix out) {
        gemma_matmul_geglu_blocks(
                out.data(),
                out.stride(),
                quantize(in),
                gate.blocks(),
                gate.blockType().number(),
                up.blocks(),
                up.blockType().number(),
                in.rows(),
                gate.rows(),
                gate.cols());
    }

    /// Bytes of scratch of products of so many rows.
    static long scratchBytes(int rows, int cols) {
        return gemma_quantized_blocks_bytes(rows, cols);
    }

    private MemorySegment quantize(Matrix in) {
        MemorySegment x = quantized.atLeast(scratchBytes(in.rows(), in.cols()));
        gemma_quantize_rows_blocks(x, in.data(), in.stride(), in.rows(), in.cols());
        return x;
    }

    @Override
    public void close() {
        quantized.close();
    }
}
