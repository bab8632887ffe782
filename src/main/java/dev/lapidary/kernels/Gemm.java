package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_geglu_f32;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_narrow_bf16;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_widen_bf16;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_widen_blocks;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_widen_f16;

import java.lang.foreign.MemorySegment;

/// Multiplies many rows by stored weights through a [Backend], bridging in one place what the backend cannot do: a
/// panel of weights at a time is widened to F32, never the whole model.
final class Gemm implements AutoCloseable {
    /// Widened panel: stays in a core's L2 cache share while it is multiplied.
    private static final long PANEL_BYTES = 2 << 20;

    /// Neurons whose gates and ups are computed before they are multiplied.
    private static final int BLOCK_NEURONS = 2304;

    private final Backend backend;
    private final boolean narrow;
    private final GrowingScratch narrowed = new GrowingScratch();
    private final GrowingScratch panel = new GrowingScratch();
    private final GrowingScratch gates = new GrowingScratch();
    private final GrowingScratch ups = new GrowingScratch();

    /// @param bf16 whether BF16 weights may be multiplied in BF16, which rounds the inputs to BF16
    Gemm(Backend backend, boolean bf16) {
        this.backend = backend;
        narrow = bf16 && backend.multiplies(DataType.BF16);
    }

    /// Whether BF16 weights are multiplied as they are.
    boolean multipliesBf16() {
        return narrow;
    }

    /// Bytes of scratch of products of so many rows.
    long scratchBytes(int rows, int cols) {
        long narrowBytes = narrow ? (long) rows * cols * DataType.BF16.bytes() : 0;
        long panelBytes = Math.max(PANEL_BYTES, (long) cols * Float.BYTES);
        return narrowBytes + panelBytes + 2L * rows * BLOCK_NEURONS * Float.BYTES;
    }

    void project(Matrix in, Projection weights, Matrix out) {
        Matrix narrowIn = narrows(weights.first()) ? narrow(in) : in;
        int column = 0;
        for (WeightMatrix part : weights.parts()) {
            multiply(in, narrowIn, part, 0, out.cols(column, part.rows()));
            column += part.rows();
        }
    }

    /// One matrix alone.
    void project(Matrix in, WeightMatrix weights, Matrix out) {
        multiply(in, narrows(weights) ? narrow(in) : in, weights, 0, out);
    }

    /// `out = gelu(in * gate^T) * (in * up^T)`, a block of neurons after the other, whose two products stay in the
    /// cache.
    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        Matrix narrowIn = narrows(gate) || narrows(up) ? narrow(in) : in;
        int seq = in.rows();
        int neurons = gate.rows();
        int blocks = (neurons + BLOCK_NEURONS - 1) / BLOCK_NEURONS;
        for (int block = 0; block < blocks; block++) {
            int from = blockStart(neurons, blocks, block);
            int count = blockStart(neurons, blocks, block + 1) - from;
            long bytes = (long) seq * count * Float.BYTES;
            Matrix gated = Matrix.dense(gates.atLeast(bytes), DataType.F32, seq, count);
            Matrix upped = Matrix.dense(ups.atLeast(bytes), DataType.F32, seq, count);
            multiply(in, narrowIn, gate, from, gated);
            multiply(in, narrowIn, up, from, upped);
            Matrix result = out.cols(from, count);
            gemma_geglu_f32(result.data(), result.stride(), gated.data(), count, upped.data(), count, seq, count);
        }
    }

    /// Blocks of about the same size that begin at multiples of a cache line.
    private static int blockStart(int neurons, int blocks, int block) {
        int line = (int) (Matrix.ALIGNMENT_BYTES / Float.BYTES);
        return block == blocks ? neurons : Math.toIntExact((long) neurons * block / blocks / line * line);
    }

    private boolean narrows(WeightMatrix weights) {
        return narrow && weights instanceof Matrix dense && dense.type() == DataType.BF16;
    }

    /// `out = in * w^T` with the rows of `weights` from `first` on, as many as `out` has columns.
    private void multiply(Matrix in, Matrix narrowIn, WeightMatrix weights, int first, Matrix out) {
        if (narrows(weights) && weights instanceof Matrix dense) {
            backend.matmulTransposed(narrowIn, dense.rows(first, out.cols()), out);
        } else if (weights instanceof Matrix dense && dense.type() == DataType.F32 && backend.staysInBounds()) {
            backend.matmulTransposed(in, dense.rows(first, out.cols()), out);
        } else {
            // F32 too where what is mapped may end at the end of its file, and the backend reads on behind it
            multiplyPanels(in, weights, first, out);
        }
    }

    private void multiplyPanels(Matrix in, WeightMatrix weights, int first, Matrix out) {
        int cols = weights.cols();
        long rowBytes = (long) cols * Float.BYTES;
        int panelRows = Math.clamp(PANEL_BYTES / rowBytes, 1, Math.max(1, out.cols()));
        Matrix wide = Matrix.dense(panel.atLeast(panelRows * rowBytes), DataType.F32, panelRows, cols);
        for (int from = 0; from < out.cols(); from += panelRows) {
            int count = Math.min(panelRows, out.cols() - from);
            Matrix widened = wide.rows(0, count);
            switch (weights) {
                case Matrix dense -> widen(dense.rows(first + from, count), widened);
                case PackedMatrix packed -> PackedMatmul.widen(packed, first + from, widened);
                case BlockMatrix stored -> widen(stored.rows(first + from, count), widened);
            }
            backend.matmulTransposed(in, widened, out.cols(from, count));
        }
    }

    /// Exact; F32 is copied.
    static void widen(Matrix stored, Matrix wide) {
        int rows = stored.rows();
        int cols = stored.cols();
        switch (stored.type()) {
            case F32 -> {
                for (int row = 0; row < rows; row++) {
                    MemorySegment.copy(
                            stored.data(),
                            row * stored.stride() * Float.BYTES,
                            wide.data(),
                            row * wide.stride() * Float.BYTES,
                            (long) cols * Float.BYTES);
                }
            }
            case BF16 -> gemma_widen_bf16(wide.data(), wide.stride(), stored.data(), stored.stride(), rows, cols);
            case F16 -> gemma_widen_f16(wide.data(), wide.stride(), stored.data(), stored.stride(), rows, cols);
        }
    }

    /// Exactly as ggml does it.
    static void widen(BlockMatrix stored, Matrix wide) {
        int type = stored.blockType().number();
        gemma_widen_blocks(wide.data(), wide.stride(), stored.blocks(), type, stored.rows(), stored.cols());
    }

    private Matrix narrow(Matrix in) {
        long bytes = (long) in.rows() * in.cols() * DataType.BF16.bytes();
        Matrix out = Matrix.dense(narrowed.atLeast(bytes), DataType.BF16, in.rows(), in.cols());
        gemma_narrow_bf16(out.data(), out.stride(), in.data(), in.stride(), in.rows(), in.cols());
        return out;
    }

    @Override
    public void close() {
        narrowed.close();
        panel.close();
        gates.close();
        ups.close();
    }
}
