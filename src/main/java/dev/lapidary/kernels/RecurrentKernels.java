package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;
import static dev.lapidary.kernels.KernelChecks.requireF32;
import static dev.lapidary.kernels.KernelChecks.requireShape;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The shim's kernels of recurrent blocks, their arguments checked.
final class RecurrentKernels {
    private RecurrentKernels() {}

    static void causalConv(
            Matrix in, int row, int count, Matrix taps, Matrix bias, @Nullable Matrix state, Matrix next, Matrix out) {
        int cols = in.cols();
        int width = taps.rows();
        requireF32("in", in);
        requireShape("out", out, in.rows(), cols);
        Objects.checkFromIndexSize(row, count, in.rows());
        requireDense("taps", taps, Math.max(1, width), cols);
        requireDense("bias", bias, 1, cols);
        gemma_causal_conv_f32(
                out.data(),
                out.stride(),
                in.data(),
                in.stride(),
                taps.data(),
                bias.data(),
                denseOrNull("state", state, width - 1, cols),
                requireDense("next", next, width - 1, cols),
                row,
                count,
                cols,
                width);
    }

    static void blockDiagonal(Matrix in, Matrix weights, Matrix bias, Matrix out) {
        requireF32("in", in);
        int n = weights.cols();
        int blocks = n == 0 ? 0 : out.cols() / n;
        if (blocks == 0 || blocks * n != out.cols() || in.cols() % blocks != 0 || weights.stride() != n) {
            throw new IllegalArgumentException("weights: got %s stride %d, need blocks without gaps that make %s of %s"
                    .formatted(weights.shape(), weights.stride(), out.shape(), in.shape()));
        }
        int k = in.cols() / blocks;
        KernelChecks.requireExtents("weights", weights, in.cols(), n);
        requireShape("out", out, in.rows(), blocks * n);
        requireDense("bias", bias, 1, blocks * n);
        MemorySegment to = out.data();
        MemorySegment from = in.data();
        long stride = out.stride();
        MemorySegment w = weights.data();
        int rows = in.rows();
        switch (weights.type()) {
            case F32 -> gemma_block_diagonal_f32(to, stride, from, in.stride(), w, bias.data(), rows, blocks, n, k);
            case BF16 -> gemma_block_diagonal_bf16(to, stride, from, in.stride(), w, bias.data(), rows, blocks, n, k);
            case F16 -> gemma_block_diagonal_f16(to, stride, from, in.stride(), w, bias.data(), rows, blocks, n, k);
        }
    }

    static void rgLru(
            Matrix in,
            Matrix inputGate,
            Matrix recurrenceGate,
            Matrix branch,
            int row,
            int count,
            Matrix rate,
            @Nullable Matrix state,
            Matrix next,
            Matrix out) {
        int cols = in.cols();
        requireF32("in", in);
        requireShape("inputGate", inputGate, in.rows(), cols);
        requireShape("recurrenceGate", recurrenceGate, in.rows(), cols);
        requireShape("branch", branch, in.rows(), cols);
        requireShape("out", out, in.rows(), cols);
        Objects.checkFromIndexSize(row, count, in.rows());
        gemma_rg_lru_f32(
                out.data(),
                out.stride(),
                in.data(),
                in.stride(),
                inputGate.data(),
                inputGate.stride(),
                recurrenceGate.data(),
                recurrenceGate.stride(),
                branch.data(),
                branch.stride(),
                requireDense("rate", rate, 1, cols),
                denseOrNull("state", state, 1, cols),
                requireDense("next", next, 1, cols),
                row,
                count,
                cols);
    }

    private static MemorySegment denseOrNull(String name, @Nullable Matrix matrix, int rows, int cols) {
        return matrix == null ? MemorySegment.NULL : requireDense(name, matrix, rows, cols);
    }

    private static MemorySegment requireDense(String name, Matrix matrix, int rows, int cols) {
        requireShape(name, matrix, rows, cols);
        if (matrix.stride() != cols) {
            throw new IllegalArgumentException("%s: got stride %d, need %d".formatted(name, matrix.stride(), cols));
        }
        return matrix.data();
    }
}
