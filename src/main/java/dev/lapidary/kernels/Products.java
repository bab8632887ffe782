package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_geglu_f32;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_sparsify_f32;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Products of activations by weights: who of [Gemv], [PackedMatmul], [TiledMatmul] and [Gemm] multiplies how many rows
/// by what.
///
/// | rows | F32 | BF16, F16, blocks | packed |
/// |---|---|---|---|
/// | up to [#MAX_STREAMED_ROWS] | Gemv | Gemv | PackedMatmul |
/// | more | Gemm | TiledMatmul, else Gemm | PackedMatmul |
/// | from [#MIN_TILED_PACKED_ROWS] on | Gemm | TiledMatmul, else Gemm | TiledMatmul, else PackedMatmul |
///
/// TiledMatmul where the CPU has matrix instructions; where inputs must not be rounded Gemm takes its place and
/// PackedMatmul's.
final class Products implements AutoCloseable {
    /// Up to here the shim streams the weights once for all rows; above, a matrix product is faster.
    static final int MAX_STREAMED_ROWS = 8;

    /// From here on it pays to make BF16 of packed weights, whose dot products of bytes are fast for fewer rows.
    static final int MIN_TILED_PACKED_ROWS = 49;

    private final boolean rounded;
    private final Gemm gemm;
    private final PackedMatmul packedMatmul = new PackedMatmul();
    private final @Nullable TiledMatmul tiled;
    private final GrowingScratch upScratch = new GrowingScratch();
    private @Nullable Matrix upped;

    /// @param rounded as [NativeKernels] takes it
    Products(Backend backend, int threads, boolean rounded) {
        this.rounded = rounded;
        gemm = new Gemm(backend, rounded);
        tiled = rounded && TiledMatmul.isNative() ? new TiledMatmul(threads) : null;
    }

    /// Whether BF16 weights are multiplied by many rows in BF16.
    boolean multipliesBf16() {
        return gemm.multipliesBf16();
    }

    /// Whether many rows are multiplied by weights of any format but F32 as tiles of BF16.
    boolean multipliesTiles() {
        return tiled != null;
    }

    void project(Matrix in, Projection weights, Matrix out) {
        WeightMatrix first = weights.first();
        boolean few = in.rows() <= MAX_STREAMED_ROWS;
        MemorySegment types = weights.partTypes();
        MemorySegment kinds = weights.partKinds();
        if (tiled != null && kinds != null && isTiled(in, weights)) {
            tiled.project(in, weights, kinds, out);
        } else if (weights.parts().size() == 1) {
            project(in, first, out);
        } else if (rounded && weights.isUniform() && first instanceof PackedMatrix packed) {
            packedMatmul.projectGroup(in, weights, packed, out);
        } else if (few && weights.isUniform() && first instanceof Matrix dense) {
            Gemv.projectGroup(in, weights, dense, out);
        } else if (few && types != null) {
            Gemv.projectGroup(in, weights, types, out);
        } else if (!isAnyStreamed(in, weights)) {
            gemm.project(in, weights, out);
        } else {
            int column = 0;
            for (WeightMatrix part : weights.parts()) {
                project(in, part, out.cols(column, part.rows()));
                column += part.rows();
            }
        }
    }

    private void project(Matrix in, WeightMatrix weights, Matrix out) {
        boolean few = in.rows() <= MAX_STREAMED_ROWS;
        switch (weights) {
            case PackedMatrix packed when rounded -> packedMatmul.project(in, packed, out);
            case Matrix dense when few -> Gemv.project(in, dense, out);
            case BlockMatrix stored when few -> Gemv.project(in, stored, out);
            default -> gemm.project(in, weights, out);
        }
    }

    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        boolean alike = Projection.alike(gate, up);
        if (tiled != null && isTiled(in, gate) && isTiled(in, up)) {
            tiled.geglu(in, gate, up, out);
        } else if (alike && rounded && gate instanceof PackedMatrix g && up instanceof PackedMatrix u) {
            packedMatmul.geglu(in, g, u, out);
        } else if (alike && in.rows() <= MAX_STREAMED_ROWS && gate instanceof Matrix g && up instanceof Matrix u) {
            Gemv.geglu(in, g, u, out);
        } else if (isStreamed(in, gate) || isStreamed(in, up)) {
            Matrix upped = upped(in.rows(), up.rows());
            project(in, gate, out);
            project(in, up, upped);
            geglu(out, upped);
        } else {
            gemm.geglu(in, gate, up, out);
        }
    }

    void geglu(Matrix in, WeightMatrix gate, Matrix gateBias, WeightMatrix up, Matrix upBias, Matrix out) {
        Matrix upped = upped(in.rows(), up.rows());
        project(in, gate, out);
        project(in, up, upped);
        NativeKernels.addRow(gateBias, out);
        NativeKernels.addRow(upBias, upped);
        geglu(out, upped);
    }

    void sparseGeglu(Matrix in, WeightMatrix gate, WeightMatrix up, float deviations, Matrix out) {
        Matrix upped = upped(in.rows(), up.rows());
        project(in, gate, out);
        project(in, up, upped);
        gemma_sparsify_f32(out.data(), out.stride(), deviations, out.rows(), out.cols());
        geglu(out, upped);
    }

    void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, Matrix gated, Matrix out) {
        MemorySegment kinds = down.partKinds();
        if (tiled != null && kinds != null && isTiled(in, gate) && isTiled(in, up) && isTiled(in, down)) {
            tiled.feedForward(in, gate, up, down, kinds, out);
        } else {
            geglu(in, gate, up, gated);
            project(gated, down, out);
        }
    }

    /// `gate = gelu_tanh(gate) * up`.
    static void geglu(Matrix gate, Matrix up) {
        gemma_geglu_f32(
                gate.data(),
                gate.stride(),
                gate.data(),
                gate.stride(),
                up.data(),
                up.stride(),
                gate.rows(),
                gate.cols());
    }

    /// Room for the product with up, the same view as long as its extents are the same.
    private Matrix upped(int rows, int neurons) {
        Matrix view = upped;
        if (view == null || view.rows() != rows || view.cols() != neurons) {
            view = Matrix.dense(upScratch.atLeast((long) rows * neurons * Float.BYTES), DataType.F32, rows, neurons);
            upped = view;
        }
        return view;
    }

    /// Whether each part is; without a stream, as a step of decoding allocates nothing.
    private boolean isTiled(Matrix in, Projection weights) {
        for (int i = 0; i < weights.parts().size(); i++) {
            if (!isTiled(in, weights.parts().get(i))) {
                return false;
            }
        }
        return true;
    }

    /// Whether so many rows are multiplied by these weights as tiles, where there are such instructions.
    private boolean isTiled(Matrix in, WeightMatrix weights) {
        return switch (weights) {
            case PackedMatrix _ -> in.rows() >= MIN_TILED_PACKED_ROWS;
            case BlockMatrix _ -> in.rows() > MAX_STREAMED_ROWS;
            case Matrix dense ->
                in.rows() > MAX_STREAMED_ROWS
                        && switch (dense.type()) {
                            case F32 -> false;
                            case BF16 -> gemm.multipliesBf16();
                            case F16 -> true;
                        };
        };
    }

    /// Whether one part is; without a stream, as above.
    private boolean isAnyStreamed(Matrix in, Projection weights) {
        for (int i = 0; i < weights.parts().size(); i++) {
            if (isStreamed(in, weights.parts().get(i))) {
                return true;
            }
        }
        return false;
    }

    /// Whether the shim multiplies by these weights itself.
    private boolean isStreamed(Matrix in, WeightMatrix weights) {
        return weights instanceof PackedMatrix ? rounded : in.rows() <= MAX_STREAMED_ROWS;
    }

    @Override
    public void close() {
        gemm.close();
        packedMatmul.close();
        if (tiled != null) {
            tiled.close();
        }
        upScratch.close();
    }
}
