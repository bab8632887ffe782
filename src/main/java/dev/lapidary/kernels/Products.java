package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_geglu_f32;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_sparsify_f32;

import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Products of activations by weights: who of [Gemv], [BlockMatmul], [PackedMatmul], [StoredMatmul] and [Gemm]
/// multiplies how many rows by what.
///
/// | rows | F32 | BF16 | F16 | blocks | packed |
/// |---|---|---|---|---|---|
/// | up to [#MAX_STREAMED_ROWS] | Gemv | Gemv | Gemv | BlockMatmul | PackedMatmul |
/// | more | Gemm | tiles; Gemm if the backend has BF16; wide | tiles, else wide | tiles, else wide | PackedMatmul |
/// | from [#MIN_TILED_PACKED_ROWS] on | as above | as above | as above | as above | tiles, else PackedMatmul |
///
/// Tiles, where the CPU has matrix instructions (for BF16 beside a backend that has it), and wide are those of
/// [StoredMatmul]. Where inputs must not be rounded Gemv streams blocks too, and the backend multiplies all the rest.
final class Products implements AutoCloseable {
    /// Up to here the shim streams the weights once for all rows; above, a matrix product is faster.
    static final int MAX_STREAMED_ROWS = 8;

    /// From here on it pays to make BF16 of packed weights, whose dot products of bytes are fast for fewer rows.
    static final int MIN_TILED_PACKED_ROWS = 49;

    private enum Multiplier {
        GEMV,
        BLOCKS,
        PACKED,
        WIDE,
        TILES,
        BACKEND
    }

    private final boolean rounded;
    private final Gemm gemm;
    private final BlockMatmul blockMatmul = new BlockMatmul();
    private final PackedMatmul packedMatmul = new PackedMatmul();
    private final StoredMatmul wide;
    private final StoredMatmul tiles;
    private final boolean hasTiles;
    private final GrowingScratch upScratch = new GrowingScratch();
    private @Nullable Matrix upped;

    /// @param rounded as [NativeKernels] takes it
    Products(Backend backend, int threads, boolean rounded) {
        this.rounded = rounded;
        gemm = new Gemm(backend, rounded);
        wide = new StoredMatmul(StoredMatmul.Way.WIDE, threads);
        tiles = new StoredMatmul(StoredMatmul.Way.TILES, threads);
        hasTiles = rounded && StoredMatmul.hasTiles();
    }

    /// Whether BF16 weights are multiplied by many rows in BF16.
    boolean multipliesBf16() {
        return gemm.multipliesBf16();
    }

    /// Whether many rows are multiplied by weights of any format but F32 as tiles of BF16.
    boolean multipliesTiles() {
        return hasTiles;
    }

    /// The most bytes of scratch that products of up to `rows` rows with these weights take, whoever multiplies.
    long scratchBytes(int rows, List<WeightMatrix> weights) {
        Map<Multiplier, Integer> widest = new EnumMap<>(Multiplier.class);
        for (WeightMatrix one : weights) {
            widest.merge(multiplier(rows, one), one.cols(), Math::max);
        }
        long bytes = 0;
        for (Map.Entry<Multiplier, Integer> entry : widest.entrySet()) {
            int cols = entry.getValue();
            bytes += switch (entry.getKey()) {
                case GEMV -> 0;
                case BLOCKS -> BlockMatmul.scratchBytes(rows, cols);
                case PACKED -> PackedMatmul.scratchBytes(rows, cols);
                case WIDE -> wide.scratchBytes(rows, cols);
                case TILES -> tiles.scratchBytes(rows, cols);
                case BACKEND -> gemm.scratchBytes(rows, cols);
            };
        }
        return bytes;
    }

    private Multiplier multiplier(int rows, WeightMatrix weights) {
        boolean few = rows <= MAX_STREAMED_ROWS;
        return switch (weights) {
            case PackedMatrix _ when !rounded -> Multiplier.BACKEND;
            case PackedMatrix _ -> hasTiles && rows >= MIN_TILED_PACKED_ROWS ? Multiplier.TILES : Multiplier.PACKED;
            case BlockMatrix _ when few && rounded -> Multiplier.BLOCKS;
            case WeightMatrix _ when few -> Multiplier.GEMV;
            case WeightMatrix _ when !rounded -> Multiplier.BACKEND;
            case BlockMatrix _ -> hasTiles ? Multiplier.TILES : Multiplier.WIDE;
            case Matrix dense ->
                switch (dense.type()) {
                    case F32 -> Multiplier.BACKEND;
                    case F16 -> hasTiles ? Multiplier.TILES : Multiplier.WIDE;
                    case BF16 -> bf16Multiplier();
                };
        };
    }

    private Multiplier bf16Multiplier() {
        if (!gemm.multipliesBf16()) {
            return Multiplier.WIDE;
        }
        return hasTiles ? Multiplier.TILES : Multiplier.BACKEND;
    }

    /// Who multiplies by all parts, or null if they are not one; without a stream, as a step of decoding allocates
    /// nothing.
    private @Nullable Multiplier multiplier(Matrix in, Projection weights) {
        Multiplier common = multiplier(in.rows(), weights.first());
        for (int i = 1; i < weights.parts().size(); i++) {
            if (multiplier(in.rows(), weights.parts().get(i)) != common) {
                return null;
            }
        }
        return common;
    }

    /// Null where the shim does not take the weights as they are stored.
    private @Nullable StoredMatmul stored(@Nullable Multiplier multiplier) {
        return multiplier == Multiplier.TILES ? tiles : multiplier == Multiplier.WIDE ? wide : null;
    }

    void project(Matrix in, Projection weights, Matrix out) {
        WeightMatrix first = weights.first();
        Multiplier multiplier = multiplier(in, weights);
        StoredMatmul stored = stored(multiplier);
        MemorySegment kinds = weights.partKinds();
        MemorySegment types = weights.partTypes();
        if (stored != null && kinds != null) {
            stored.project(in, weights, kinds, out);
        } else if (multiplier == Multiplier.BACKEND) {
            gemm.project(in, weights, out);
        } else if (multiplier == Multiplier.PACKED && weights.isUniform() && first instanceof PackedMatrix packed) {
            packedMatmul.projectGroup(in, weights, packed, out);
        } else if (multiplier == Multiplier.GEMV && weights.isUniform() && first instanceof Matrix dense) {
            Gemv.projectGroup(in, weights, dense, out);
        } else if (multiplier == Multiplier.BLOCKS && types != null) {
            blockMatmul.projectGroup(in, weights, types, out);
        } else if (multiplier == Multiplier.GEMV && types != null) {
            Gemv.projectGroup(in, weights, types, out);
        } else {
            int column = 0;
            for (int i = 0; i < weights.parts().size(); i++) {
                WeightMatrix part = weights.parts().get(i);
                project(in, part, out.cols(column, part.rows()));
                column += part.rows();
            }
        }
    }

    private void project(Matrix in, WeightMatrix weights, Matrix out) {
        StoredMatmul stored = stored(multiplier(in.rows(), weights));
        if (stored != null) {
            stored.project(in, weights, out);
            return;
        }
        boolean few = in.rows() <= MAX_STREAMED_ROWS;
        switch (weights) {
            case PackedMatrix packed when rounded -> packedMatmul.project(in, packed, out);
            case Matrix dense when few -> Gemv.project(in, dense, out);
            case BlockMatrix blocks when few && rounded -> blockMatmul.project(in, blocks, out);
            case BlockMatrix blocks when few -> Gemv.project(in, blocks, out);
            default -> gemm.project(in, weights, out);
        }
    }

    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        Multiplier multiplier = multiplier(in.rows(), gate);
        boolean common = multiplier == multiplier(in.rows(), up);
        StoredMatmul stored = stored(multiplier);
        boolean alike = Projection.alike(gate, up);
        if (common && stored != null) {
            stored.geglu(in, gate, up, out);
        } else if (common && multiplier == Multiplier.BACKEND) {
            gemm.geglu(in, gate, up, out);
        } else if (alike
                && multiplier == Multiplier.PACKED
                && gate instanceof PackedMatrix g
                && up instanceof PackedMatrix u) {
            packedMatmul.geglu(in, g, u, out);
        } else if (common
                && multiplier == Multiplier.BLOCKS
                && gate instanceof BlockMatrix g
                && up instanceof BlockMatrix u) {
            blockMatmul.geglu(in, g, u, out);
        } else if (alike && multiplier == Multiplier.GEMV && gate instanceof Matrix g && up instanceof Matrix u) {
            Gemv.geglu(in, g, u, out);
        } else {
            Matrix upped = upped(in.rows(), up.rows());
            project(in, gate, out);
            project(in, up, upped);
            geglu(out, upped);
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
        Multiplier multiplier = multiplier(in, down);
        StoredMatmul stored = stored(multiplier);
        MemorySegment kinds = down.partKinds();
        if (stored != null
                && kinds != null
                && multiplier(in.rows(), gate) == multiplier
                && multiplier(in.rows(), up) == multiplier) {
            stored.feedForward(in, gate, up, down, kinds, out);
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

    @Override
    public void close() {
        gemm.close();
        blockMatmul.close();
        packedMatmul.close();
        wide.close();
        tiles.close();
        upScratch.close();
    }
}
