package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.lang.foreign.MemorySegment;

/// Multiplies a few rows by dense weights in the shim, which streams the weights from memory once for all of them.
final class Gemv {
    private Gemv() {}

    static void project(Matrix in, Matrix w, Matrix out) {
        MemorySegment to = out.data();
        switch (w.type()) {
            case F32 ->
                gemma_gemv_f32(
                        to, out.stride(), in.data(), in.stride(), w.data(), w.stride(), in.rows(), w.rows(), w.cols());
            case BF16 ->
                gemma_gemv_bf16(
                        to, out.stride(), in.data(), in.stride(), w.data(), w.stride(), in.rows(), w.rows(), w.cols());
            case F16 ->
                gemma_gemv_f16(
                        to, out.stride(), in.data(), in.stride(), w.data(), w.stride(), in.rows(), w.rows(), w.cols());
        }
    }

    /// @param first one of the parts of `weights`, which are all alike
    static void projectGroup(Matrix in, Projection weights, Matrix first, Matrix out) {
        MemorySegment to = out.data();
        MemorySegment parts = weights.partPointers();
        MemorySegment rows = weights.partRows();
        int count = weights.parts().size();
        long stride = first.stride();
        int k = weights.cols();
        switch (first.type()) {
            case F32 ->
                gemma_gemv_group_f32(
                        to, out.stride(), in.data(), in.stride(), parts, rows, count, stride, in.rows(), k);
            case BF16 ->
                gemma_gemv_group_bf16(
                        to, out.stride(), in.data(), in.stride(), parts, rows, count, stride, in.rows(), k);
            case F16 ->
                gemma_gemv_group_f16(
                        to, out.stride(), in.data(), in.stride(), parts, rows, count, stride, in.rows(), k);
        }
    }

    static void geglu(Matrix in, Matrix gate, Matrix up, Matrix out) {
        MemorySegment to = out.data();
        MemorySegment g = gate.data();
        MemorySegment u = up.data();
        long stride = gate.stride();
        int neurons = gate.rows();
        switch (gate.type()) {
            case F32 ->
                gemma_gemv_geglu_f32(
                        to, out.stride(), in.data(), in.stride(), g, u, stride, in.rows(), neurons, gate.cols());
            case BF16 ->
                gemma_gemv_geglu_bf16(
                        to, out.stride(), in.data(), in.stride(), g, u, stride, in.rows(), neurons, gate.cols());
            case F16 ->
                gemma_gemv_geglu_f16(
                        to, out.stride(), in.data(), in.stride(), g, u, stride, in.rows(), neurons, gate.cols());
        }
    }
}
