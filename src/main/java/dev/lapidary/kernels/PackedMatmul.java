package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.lang.foreign.MemorySegment;

/// Multiplies any number of rows by [PackedMatrix] weights in the shim. The rows are quantized first, to int8 with a
/// scale per block of 32 columns, so that products are sums of bytes, which CPUs multiply fastest.
final class PackedMatmul implements AutoCloseable {
    private final GrowingScratch quantized = new GrowingScratch();

    void project(Matrix in, PackedMatrix weights, Matrix out) {
        MemorySegment x = quantize(in, weights.blockFormat());
        MemorySegment to = out.data();
        MemorySegment w = weights.panels();
        switch (weights.blockFormat()) {
            case Q8_0 -> gemma_matmul_q8_0(to, out.stride(), x, w, in.rows(), weights.rows(), weights.cols());
            case Q4_0 -> gemma_matmul_q4_0(to, out.stride(), x, w, in.rows(), weights.rows(), weights.cols());
        }
    }

    /// Projects to matrices side by side.
    ///
    /// @param first one of the parts of `weights`, which are all alike
    void projectGroup(Matrix in, Projection weights, PackedMatrix first, Matrix out) {
        MemorySegment x = quantize(in, first.blockFormat());
        MemorySegment to = out.data();
        int rows = in.rows();
        int count = weights.parts().size();
        MemorySegment parts = weights.partPointers();
        MemorySegment partRows = weights.partRows();
        switch (first.blockFormat()) {
            case Q8_0 -> gemma_matmul_group_q8_0(to, out.stride(), x, parts, partRows, count, rows, first.cols());
            case Q4_0 -> gemma_matmul_group_q4_0(to, out.stride(), x, parts, partRows, count, rows, first.cols());
        }
    }

    void geglu(Matrix in, PackedMatrix gate, PackedMatrix up, Matrix out) {
        MemorySegment x = quantize(in, gate.blockFormat());
        MemorySegment to = out.data();
        MemorySegment g = gate.panels();
        MemorySegment u = up.panels();
        switch (gate.blockFormat()) {
            case Q8_0 -> gemma_matmul_geglu_q8_0(to, out.stride(), x, g, u, in.rows(), gate.rows(), gate.cols());
            case Q4_0 -> gemma_matmul_geglu_q4_0(to, out.stride(), x, g, u, in.rows(), gate.rows(), gate.cols());
        }
    }

    /// Bytes of scratch of products of so many rows.
    static long scratchBytes(int rows, int cols) {
        return gemma_quantized_bytes(rows, cols);
    }

    /// Rows `from` to `from + out.rows()` of the weights, exactly.
    static void widen(PackedMatrix weights, int from, Matrix out) {
        MemorySegment panels = weights.panels();
        switch (weights.blockFormat()) {
            case Q8_0 -> gemma_unpack_q8_0(out.data(), out.stride(), panels, from, out.rows(), weights.cols());
            case Q4_0 -> gemma_unpack_q4_0(out.data(), out.stride(), panels, from, out.rows(), weights.cols());
        }
    }

    /// @param format of the weights to come
    private MemorySegment quantize(Matrix in, BlockFormat format) {
        MemorySegment x = quantized.atLeast(gemma_quantized_bytes(in.rows(), in.cols()));
        switch (format) {
            case Q8_0 -> gemma_quantize_rows_q8_0(x, in.data(), in.stride(), in.rows(), in.cols());
            case Q4_0 -> gemma_quantize_rows_q4_0(x, in.data(), in.stride(), in.rows(), in.cols());
        }
        return x;
    }

    @Override
    public void close() {
        quantized.close();
    }
}
