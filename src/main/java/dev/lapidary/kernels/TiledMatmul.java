package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;

import java.lang.foreign.MemorySegment;

/// Multiplies many rows by weights of any kind but F32 in the shim, by a CPU's matrix instructions (AMX): the rows are
/// rounded to BF16, and so are weights that are not, a few panels of them at a time.
final class TiledMatmul implements AutoCloseable {
    private static final String ISA = "avx512-amx";

    private final int threads;
    private final GrowingScratch rowTiles = new GrowingScratch();
    private final GrowingScratch hiddenTiles = new GrowingScratch();
    private final GrowingScratch scratch = new GrowingScratch();

    /// @param threads size of the team that computes
    TiledMatmul(int threads) {
        this.threads = threads;
    }

    /// Whether this CPU has the instructions, and nobody has limited the shim to less.
    static boolean isNative() {
        return gemma_isa().getString(0).equals(ISA);
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
        project(tiles(in), in.rows(), weights, kinds, out);
    }

    private void project(MemorySegment x, int rows, Projection weights, MemorySegment kinds, Matrix out) {
        gemma_matmul_tiles(
                out.data(),
                out.stride(),
                x,
                weights.partPointers(),
                kinds,
                weights.partStrides(),
                weights.partRows(),
                weights.parts().size(),
                rows,
                weights.cols(),
                work());
    }

    /// `out = gelu(in * gate^T) * (in * up^T)`.
    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        geglu(in, gate, up, out.data(), out.stride(), MemorySegment.NULL);
    }

    /// `out = (gelu(in * gate^T) * (in * up^T)) * down^T`; what is between is rounded to BF16 as it is made.
    ///
    /// @param kinds those of the parts of `down`
    void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, MemorySegment kinds, Matrix out) {
        MemorySegment hidden = hiddenTiles.atLeast(gemma_tiles_bytes(in.rows(), gate.rows()));
        geglu(in, gate, up, MemorySegment.NULL, 0, hidden);
        project(hidden, in.rows(), down, kinds, out);
    }

    private void geglu(
            Matrix in, WeightMatrix gate, WeightMatrix up, MemorySegment out, long outStride, MemorySegment tiles) {
        gemma_matmul_tiles_geglu(
                out,
                outStride,
                tiles,
                tiles(in),
                Projection.address(gate),
                kind(gate),
                stride(gate),
                Projection.address(up),
                kind(up),
                stride(up),
                in.rows(),
                gate.rows(),
                gate.cols(),
                work());
    }

    private MemorySegment tiles(Matrix in) {
        MemorySegment x = rowTiles.atLeast(gemma_tiles_bytes(in.rows(), in.cols()));
        gemma_tile_rows_f32(x, in.data(), in.stride(), in.rows(), in.cols());
        return x;
    }

    private MemorySegment work() {
        return scratch.atLeast(gemma_tiles_scratch(threads));
    }

    @Override
    public void close() {
        rowTiles.close();
        hiddenTiles.close();
        scratch.close();
    }
}
