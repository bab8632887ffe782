package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Multiplies many rows by weights of any kind but F32 in the shim, a few of the weights at a time made into what is
/// multiplied.
final class StoredMatmul implements AutoCloseable {
    /// What that is.
    enum Way {
        /// F32: rows as they are, weights widened exactly.
        WIDE,
        /// BF16 by a CPU's matrix instructions (AMX): the rows are rounded, and so are weights that are not BF16.
        TILES
    }

    private static final String TILES_ISA = "avx512-amx";

    private final Way way;
    private final int threads;
    private final GrowingScratch laidRows = new GrowingScratch();
    private final GrowingScratch hiddenRows = new GrowingScratch();
    private final GrowingScratch scratch = new GrowingScratch();
    private final Arena arena = Arena.ofShared();
    private final MemorySegment onePointer = arena.allocate(ValueLayout.ADDRESS);
    private final MemorySegment oneKind = arena.allocate(ValueLayout.JAVA_INT);
    private final MemorySegment oneStride = arena.allocate(ValueLayout.JAVA_LONG);
    private final MemorySegment oneCount = arena.allocate(ValueLayout.JAVA_LONG);

    /// @param threads size of the team that computes
    StoredMatmul(Way way, int threads) {
        this.way = way;
        this.threads = threads;
    }

    /// Whether this CPU has matrix instructions, and nobody has limited the shim to less.
    static boolean hasTiles() {
        return gemma_isa().getString(0).equals(TILES_ISA);
    }

    /// Whether such weights can be multiplied.
    static boolean takes(WeightMatrix weights) {
        return !(weights instanceof Matrix dense) || dense.type() != DataType.F32;
    }

    /// As the shim takes it; of weights that it [#takes].
    static int kind(WeightMatrix weights) {
        return switch (weights) {
            case Matrix dense -> dense.type() == DataType.BF16 ? GEMMA_WEIGHTS_BF16() : GEMMA_WEIGHTS_F16();
            case PackedMatrix packed ->
                packed.blockFormat() == BlockFormat.Q8_0 ? GEMMA_WEIGHTS_Q8_0() : GEMMA_WEIGHTS_Q4_0();
            case BlockMatrix stored ->
                GEMMA_WEIGHTS_BLOCKS() + stored.blockType().number();
        };
    }

    /// Elements from row to row; 0 where the kind has no such thing.
    static long stride(WeightMatrix weights) {
        return weights instanceof Matrix dense ? dense.stride() : 0;
    }

    /// @param kinds those of the parts of `weights`
    void project(Matrix in, Projection weights, MemorySegment kinds, Matrix out) {
        project(laid(in), in.rows(), weights, kinds, out);
    }

    private void project(MemorySegment x, int rows, Projection weights, MemorySegment kinds, Matrix out) {
        multiply(
                x,
                rows,
                weights.partPointers(),
                kinds,
                weights.partStrides(),
                weights.partRows(),
                weights.parts().size(),
                weights.cols(),
                out);
    }

    /// One matrix alone.
    void project(Matrix in, WeightMatrix weights, Matrix out) {
        onePointer.set(ValueLayout.ADDRESS, 0, Projection.address(weights));
        oneKind.set(ValueLayout.JAVA_INT, 0, kind(weights));
        oneStride.set(ValueLayout.JAVA_LONG, 0, stride(weights));
        oneCount.set(ValueLayout.JAVA_LONG, 0, weights.rows());
        multiply(laid(in), in.rows(), onePointer, oneKind, oneStride, oneCount, 1, weights.cols(), out);
    }

    private void multiply(
            MemorySegment x,
            int rows,
            MemorySegment w,
            MemorySegment kinds,
            MemorySegment strides,
            MemorySegment n,
            int count,
            int k,
            Matrix out) {
        MemorySegment to = out.data();
        switch (way) {
            case WIDE -> gemma_matmul_wide(to, out.stride(), x, w, kinds, strides, n, count, rows, k, work());
            case TILES -> gemma_matmul_tiles(to, out.stride(), x, w, kinds, strides, n, count, rows, k, work());
        }
    }

    /// `out = gelu(in * gate^T) * (in * up^T)`.
    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        geglu(in, gate, up, out.data(), out.stride(), MemorySegment.NULL);
    }

    /// `out = (gelu(in * gate^T) * (in * up^T)) * down^T`; what is between stays in the order of the products.
    ///
    /// @param kinds those of the parts of `down`
    void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, MemorySegment kinds, Matrix out) {
        MemorySegment hidden = hiddenRows.atLeast(bytes(in.rows(), gate.rows()));
        geglu(in, gate, up, MemorySegment.NULL, 0, hidden);
        project(hidden, in.rows(), down, kinds, out);
    }

    private void geglu(
            Matrix in, WeightMatrix gate, WeightMatrix up, MemorySegment out, long outStride, MemorySegment next) {
        MemorySegment x = laid(in);
        MemorySegment g = Projection.address(gate);
        MemorySegment u = Projection.address(up);
        int gKind = kind(gate);
        int uKind = kind(up);
        long gStride = stride(gate);
        long uStride = stride(up);
        int rows = in.rows();
        int n = gate.rows();
        int k = gate.cols();
        switch (way) {
            case WIDE ->
                gemma_matmul_wide_geglu(
                        out, outStride, next, x, g, gKind, gStride, u, uKind, uStride, rows, n, k, work());
            case TILES ->
                gemma_matmul_tiles_geglu(
                        out, outStride, next, x, g, gKind, gStride, u, uKind, uStride, rows, n, k, work());
        }
    }

    /// Bytes of scratch of products of so many rows, those of a feed-forward among them.
    long scratchBytes(int rows, int cols) {
        return 2 * bytes(rows, cols) + workBytes();
    }

    /// The rows in the order of the products.
    private MemorySegment laid(Matrix in) {
        MemorySegment x = laidRows.atLeast(bytes(in.rows(), in.cols()));
        switch (way) {
            case WIDE -> gemma_wide_rows_f32(x, in.data(), in.stride(), in.rows(), in.cols());
            case TILES -> gemma_tile_rows_f32(x, in.data(), in.stride(), in.rows(), in.cols());
        }
        return x;
    }

    private long bytes(int rows, int cols) {
        return switch (way) {
            case WIDE -> gemma_wide_bytes(rows, cols);
            case TILES -> gemma_tiles_bytes(rows, cols);
        };
    }

    private long workBytes() {
        return switch (way) {
            case WIDE -> gemma_wide_scratch(threads);
            case TILES -> gemma_tiles_scratch(threads);
        };
    }

    private MemorySegment work() {
        return scratch.atLeast(workBytes());
    }

    @Override
    public void close() {
        laidRows.close();
        hiddenRows.close();
        scratch.close();
        arena.close();
    }
}
