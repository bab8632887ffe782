package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_narrow_bf16;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_widen_bf16;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_widen_f16;

import java.lang.foreign.MemorySegment;

/// Multiplies many rows by stored weights through a [Backend], bridging in one place what the backend cannot do: a
/// panel of weights at a time is widened to F32, never the whole model.
final class Gemm implements AutoCloseable {
    /// Widened panel: stays in a core's L2 cache share while it is multiplied.
    private static final long PANEL_BYTES = 2 << 20;

    private final Backend backend;
    private final boolean narrow;
    private final GrowingScratch narrowed = new GrowingScratch();
    private final GrowingScratch panel = new GrowingScratch();

    /// @param bf16 whether BF16 weights may be multiplied in BF16, which rounds the inputs to BF16
    Gemm(Backend backend, boolean bf16) {
        this.backend = backend;
        narrow = bf16 && backend.multiplies(DataType.BF16);
    }

    /// Whether BF16 weights are multiplied as they are.
    boolean multipliesBf16() {
        return narrow;
    }

    void project(Matrix in, Projection weights, Matrix out) {
        Matrix narrowIn = narrows(weights.first()) ? narrow(in) : in;
        int column = 0;
        for (WeightMatrix part : weights.parts()) {
            multiply(in, narrowIn, part, out.cols(column, part.rows()));
            column += part.rows();
        }
    }

    /// Both projections of `in`, rounding it once.
    void project(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix gateOut, Matrix upOut) {
        Matrix narrowIn = narrows(gate) || narrows(up) ? narrow(in) : in;
        multiply(in, narrowIn, gate, gateOut);
        multiply(in, narrowIn, up, upOut);
    }

    private boolean narrows(WeightMatrix weights) {
        return narrow && weights instanceof Matrix dense && dense.type() == DataType.BF16;
    }

    private void multiply(Matrix in, Matrix narrowIn, WeightMatrix weights, Matrix out) {
        if (narrows(weights) && weights instanceof Matrix dense) {
            backend.matmulTransposed(narrowIn, dense, out);
        } else if (weights instanceof Matrix dense && dense.type() == DataType.F32 && backend.staysInBounds()) {
            backend.matmulTransposed(in, dense, out);
        } else {
            // F32 too where what is mapped may end at the end of its file, and the backend reads on behind it
            multiplyPanels(in, weights, out);
        }
    }

    private void multiplyPanels(Matrix in, WeightMatrix weights, Matrix out) {
        int cols = weights.cols();
        long rowBytes = (long) cols * Float.BYTES;
        int panelRows = Math.clamp(PANEL_BYTES / rowBytes, 1, weights.rows());
        Matrix wide = Matrix.dense(panel.atLeast(panelRows * rowBytes), DataType.F32, panelRows, cols);
        for (int from = 0; from < weights.rows(); from += panelRows) {
            int count = Math.min(panelRows, weights.rows() - from);
            Matrix widened = wide.rows(0, count);
            switch (weights) {
                case Matrix dense -> widen(dense.rows(from, count), widened);
                case PackedMatrix packed -> PackedMatmul.widen(packed, from, widened);
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
    }
}
