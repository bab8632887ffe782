package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.*;
import static dev.lapidary.kernels.KernelChecks.requireAlike;
import static dev.lapidary.kernels.KernelChecks.requireBytes;
import static dev.lapidary.kernels.KernelChecks.requireExtents;
import static dev.lapidary.kernels.KernelChecks.requireF32;
import static dev.lapidary.kernels.KernelChecks.requireHeadMajor;
import static dev.lapidary.kernels.KernelChecks.requireHeads;
import static dev.lapidary.kernels.KernelChecks.requireIds;
import static dev.lapidary.kernels.KernelChecks.requireInts;
import static dev.lapidary.kernels.KernelChecks.requireShape;
import static dev.lapidary.kernels.KernelChecks.requireSpans;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// The engine's arithmetic: the shim for what is bound by memory or fused, a matmul [Backend] for many rows at once.
///
/// A downcall loses the bounds of its arguments, so every extent is checked here before the shim sees an address.
public final class NativeKernels implements Kernels, AutoCloseable {
    private final Backend backend;
    private final int threads;
    private final boolean rounded;
    private final Products products;
    private final RowAttention rowAttention;
    private final GrowingScratch attendScratch = new GrowingScratch();

    /// Kernels that multiply many rows with `backend`, which has loaded the native libraries.
    ///
    /// @param threads size of the team that computes
    /// @param rounded whether the inputs of products may be rounded to what multiplies fastest: for BF16 weights to
    ///                BF16 where CPU and backend have such products, for packed weights to int8 by blocks; else
    ///                everything is F32
    /// @throws IllegalArgumentException if `threads` is not positive
    public NativeKernels(Backend backend, int threads, boolean rounded) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads: got %d, need at least 1".formatted(threads));
        }
        this.backend = backend;
        this.threads = threads;
        this.rounded = rounded;
        products = new Products(backend, threads, rounded);
        rowAttention = new RowAttention(threads, rounded && StoredMatmul.hasTiles());
    }

    /// Makes the calling thread's team this size, since a model with another size may have run in between.
    @Override
    public void prepare() {
        gemma_set_threads(threads);
        backend.threads(threads);
    }

    @Override
    public void embed(WeightMatrix table, MemorySegment ids, float scale, Matrix out) {
        requireShape("out", out, out.rows(), table.cols());
        requireIds(ids, out.rows(), table.rows());
        MemorySegment to = out.data();
        long stride = out.stride();
        switch (table) {
            case Matrix dense -> {
                MemorySegment from = dense.data();
                switch (dense.type()) {
                    case F32 -> gemma_embed_f32(to, stride, from, dense.stride(), ids, out.rows(), out.cols(), scale);
                    case BF16 -> gemma_embed_bf16(to, stride, from, dense.stride(), ids, out.rows(), out.cols(), scale);
                    case F16 -> gemma_embed_f16(to, stride, from, dense.stride(), ids, out.rows(), out.cols(), scale);
                }
            }
            case BlockMatrix stored -> {
                int type = stored.blockType().number();
                gemma_embed_blocks(to, stride, stored.blocks(), type, ids, out.rows(), out.cols(), scale);
            }
            case PackedMatrix packed -> {
                MemorySegment from = packed.panels();
                switch (packed.blockFormat()) {
                    case Q8_0 -> gemma_embed_q8_0(to, stride, from, ids, out.rows(), out.cols(), scale);
                    case Q4_0 -> gemma_embed_q4_0(to, stride, from, ids, out.rows(), out.cols(), scale);
                }
            }
        }
    }

    @Override
    public void rmsNorm(Matrix in, Matrix weight, float epsilon, Matrix out) {
        requireF32("in", in);
        requireShape("weight", weight, 1, in.cols());
        requireShape("out", out, in.rows(), in.cols());
        gemma_rms_norm_f32(
                out.data(), out.stride(), in.data(), in.stride(), weight.data(), in.rows(), in.cols(), epsilon);
    }

    @Override
    public void rmsNormAdd(Matrix in, Matrix weight, float epsilon, Matrix residual) {
        requireF32("in", in);
        requireShape("weight", weight, 1, in.cols());
        requireShape("residual", residual, in.rows(), in.cols());
        gemma_rms_norm_add_f32(
                residual.data(),
                residual.stride(),
                in.data(),
                in.stride(),
                weight.data(),
                in.rows(),
                in.cols(),
                epsilon);
    }

    @Override
    public void add(Matrix in, Matrix out) {
        requireF32("in", in);
        requireShape("out", out, in.rows(), in.cols());
        gemma_add_f32(out.data(), out.stride(), in.data(), in.stride(), in.rows(), in.cols());
    }

    @Override
    public void scale(float factor, Matrix x) {
        requireF32("x", x);
        gemma_scale_f32(x.data(), x.stride(), factor, x.rows(), x.cols());
    }

    @Override
    public void multiply(Matrix in, Matrix weight, Matrix out) {
        requireF32("in", in);
        requireShape("weight", weight, 1, in.cols());
        requireShape("out", out, in.rows(), in.cols());
        gemma_multiply_f32(out.data(), out.stride(), in.data(), in.stride(), weight.data(), in.rows(), in.cols());
    }

    @Override
    public void matchMagnitude(Matrix like, Matrix x) {
        requireF32("x", x);
        requireShape("like", like, x.rows(), x.cols());
        gemma_match_magnitude_f32(x.data(), x.stride(), like.data(), like.stride(), x.rows(), x.cols());
    }

    @Override
    public void addScaledRows(Matrix in, MemorySegment ids, MemorySegment factors, Matrix out) {
        requireF32("in", in);
        requireShape("out", out, out.rows(), in.cols());
        requireIds(ids, in.rows(), out.rows());
        requireBytes("factors", factors, (long) in.rows() * Float.BYTES);
        gemma_add_scaled_rows_f32(out.data(), out.stride(), in.data(), in.stride(), ids, factors, in.rows(), in.cols());
    }

    @Override
    public void layerNorm(Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out) {
        requireF32("in", in);
        requireShape("weight", weight, 1, in.cols());
        requireShape("bias", bias, 1, in.cols());
        requireShape("out", out, in.rows(), in.cols());
        gemma_layer_norm_f32(
                out.data(),
                out.stride(),
                in.data(),
                in.stride(),
                weight.data(),
                bias.data(),
                in.rows(),
                in.cols(),
                epsilon);
    }

    @Override
    public void addBias(Matrix bias, Matrix x) {
        requireF32("x", x);
        requireShape("bias", bias, 1, x.cols());
        addRow(bias, x);
    }

    static void addRow(Matrix bias, Matrix x) {
        gemma_add_bias_f32(x.data(), x.stride(), bias.data(), x.rows(), x.cols());
    }

    @Override
    public void biasGelu(Matrix bias, Matrix x) {
        requireF32("x", x);
        requireShape("bias", bias, 1, x.cols());
        gemma_bias_gelu_f32(x.data(), x.stride(), bias.data(), x.rows(), x.cols());
    }

    @Override
    public void ropeTable(MemorySegment inverseFrequencies, MemorySegment positions, Matrix cos, Matrix sin) {
        requireF32("cos", cos);
        requireShape("sin", sin, cos.rows(), cos.cols());
        requireBytes("inverseFrequencies", inverseFrequencies, (long) cos.cols() * Double.BYTES);
        requireInts("positions", positions, cos.rows());
        requireDense("cos", cos);
        requireDense("sin", sin);
        gemma_rope_table_f32(cos.data(), sin.data(), inverseFrequencies, positions, cos.rows(), cos.cols());
    }

    @Override
    public void headNormRope(
            Heads in,
            int row,
            int count,
            @Nullable Matrix norm,
            float epsilon,
            @Nullable RopeTable rope,
            float scale,
            Heads out,
            int outRow) {
        requireF32("in", in);
        requireHeads("out", out, out.rows(), in.heads(), in.headDim());
        Objects.checkFromIndexSize(row, count, in.rows());
        Objects.checkFromIndexSize(outRow, count, out.rows());
        MemorySegment weight = MemorySegment.NULL;
        if (norm != null) {
            requireShape("norm", norm, 1, in.headDim());
            weight = norm.data();
        }
        MemorySegment cos = MemorySegment.NULL;
        MemorySegment sin = MemorySegment.NULL;
        int ropeDims = 0;
        if (rope != null) {
            ropeDims = 2 * rope.cos().cols();
            if (ropeDims > in.headDim()) {
                throw new IllegalArgumentException(
                        "rope: got %d rotated dims, need at most %d".formatted(ropeDims, in.headDim()));
            }
            requireShape("rope.cos", rope.cos(), in.rows(), ropeDims / 2);
            requireShape("rope.sin", rope.sin(), in.rows(), ropeDims / 2);
            requireDense("rope.cos", rope.cos());
            requireDense("rope.sin", rope.sin());
            cos = rope.cos().data();
            sin = rope.sin().data();
        }
        gemma_head_norm_rope(
                out.data(),
                elementType(out),
                outRow,
                out.rowStride(),
                out.headStride(),
                in.data(),
                row,
                in.rowStride(),
                in.headStride(),
                weight,
                epsilon,
                cos,
                sin,
                ropeDims,
                scale,
                count,
                in.heads(),
                in.headDim());
    }

    @Override
    public void project(Matrix in, Projection weights, Matrix out) {
        requireShape("in", in, in.rows(), weights.cols());
        requireShape("out", out, in.rows(), weights.rows());
        products.project(in, weights, out);
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        requireShape("in", in, in.rows(), gate.cols());
        requireExtents("up", up, gate.rows(), gate.cols());
        requireShape("out", out, in.rows(), gate.rows());
        products.geglu(in, gate, up, out);
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, Matrix gateBias, WeightMatrix up, Matrix upBias, Matrix out) {
        requireShape("in", in, in.rows(), gate.cols());
        requireExtents("up", up, gate.rows(), gate.cols());
        requireShape("gateBias", gateBias, 1, gate.rows());
        requireShape("upBias", upBias, 1, gate.rows());
        requireShape("out", out, in.rows(), gate.rows());
        products.geglu(in, gate, gateBias, up, upBias, out);
    }

    @Override
    public void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, Matrix gated, Matrix out) {
        requireShape("in", in, in.rows(), gate.cols());
        requireExtents("up", up, gate.rows(), gate.cols());
        requireShape("gated", gated, in.rows(), gate.rows());
        requireShape("out", out, in.rows(), down.rows());
        if (down.cols() != gate.rows()) {
            throw new IllegalArgumentException(
                    "down: got %d columns, need the %d neurons".formatted(down.cols(), gate.rows()));
        }
        products.feedForward(in, gate, up, down, gated, out);
    }

    @Override
    public void sparseGeglu(Matrix in, WeightMatrix gate, WeightMatrix up, float deviations, Matrix out) {
        requireShape("in", in, in.rows(), gate.cols());
        requireExtents("up", up, gate.rows(), gate.cols());
        requireShape("out", out, in.rows(), gate.rows());
        products.sparseGeglu(in, gate, up, deviations, out);
    }

    @Override
    public void geglu(Matrix gate, Matrix up) {
        requireF32("gate", gate);
        requireShape("up", up, gate.rows(), gate.cols());
        Products.geglu(gate, up);
    }

    @Override
    public void causalConv(
            Matrix in, int row, int count, Matrix taps, Matrix bias, @Nullable Matrix state, Matrix next, Matrix out) {
        RecurrentKernels.causalConv(in, row, count, taps, bias, state, next, out);
    }

    @Override
    public void blockDiagonal(Matrix in, Matrix weights, Matrix bias, Matrix out) {
        RecurrentKernels.blockDiagonal(in, weights, bias, out);
    }

    @Override
    public void rgLru(
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
        RecurrentKernels.rgLru(in, inputGate, recurrenceGate, branch, row, count, rate, state, next, out);
    }

    @Override
    public void attend(Matrix query, Heads keys, Heads values, int firstSlot, int count, float softcap, Matrix out) {
        int headDim = keys.headDim();
        requireF32("query", query);
        requireShape("out", out, 1, query.cols());
        requireHeads("values", values, keys.rows(), keys.heads(), headDim);
        requireHeadMajor("keys", keys);
        requireHeadMajor("values", values);
        requireAlike(keys, values);
        int heads = query.cols() / headDim;
        if (query.rows() != 1 || keys.heads() == 0 || heads % keys.heads() != 0 || heads * headDim != query.cols()) {
            throw new IllegalArgumentException("query: got %s, need one row of a multiple of %d heads of %d"
                    .formatted(query.shape(), keys.heads(), headDim));
        }
        requireSlots(keys, firstSlot, count);
        long scratchBytes = gemma_attend_scratch(heads, headDim, threads) * Float.BYTES;
        gemma_attend(
                out.data(),
                query.data(),
                keys.data(),
                values.data(),
                elementType(keys),
                heads,
                keys.heads(),
                headDim,
                keys.rows(),
                firstSlot,
                count,
                softcap,
                attendScratch.atLeast(scratchBytes));
    }

    @Override
    public boolean attendRows(
            Heads query,
            Heads keys,
            Heads values,
            int firstSlot,
            int count,
            MemorySegment begin,
            MemorySegment end,
            float softcap,
            Heads out) {
        if (!rounded && keys.type() == DataType.F32) {
            return false;
        }
        requireF32("query", query);
        requireHeads("keys", keys, keys.rows(), keys.heads(), query.headDim());
        requireHeads("values", values, keys.rows(), keys.heads(), query.headDim());
        requireAlike(keys, values);
        requireF32("out", out);
        requireHeads("out", out, query.rows(), query.heads(), query.headDim());
        if (keys.heads() == 0 || query.heads() % keys.heads() != 0) {
            throw new IllegalArgumentException(
                    "query: got %d heads, need a multiple of %d".formatted(query.heads(), keys.heads()));
        }
        requireSlots(keys, firstSlot, count);
        requireSpans(begin, end, query.rows(), count);
        rowAttention.attend(query, keys, values, firstSlot, count, begin, end, softcap, out);
        return true;
    }

    /// As the shim calls the type of a cache's elements.
    static int elementType(Heads heads) {
        return heads.type() == DataType.BF16 ? GEMMA_BF16() : GEMMA_F32();
    }

    private static void requireSlots(Heads keys, int firstSlot, int count) {
        if (firstSlot < 0 || firstSlot >= keys.rows() || count < 0 || count > keys.rows()) {
            throw new IllegalArgumentException(
                    "slots: got %d from %d, need within a ring of %d".formatted(count, firstSlot, keys.rows()));
        }
    }

    @Override
    public void matmulTransposed(Matrix left, Matrix right, Matrix out) {
        requireF32("left", left);
        requireShape("right", right, right.rows(), left.cols());
        requireShape("out", out, left.rows(), right.rows());
        backend.matmulTransposed(left, right, out);
    }

    @Override
    public void matmul(Matrix left, Matrix right, Matrix out) {
        requireF32("left", left);
        requireShape("right", right, left.cols(), right.cols());
        requireShape("out", out, left.rows(), right.cols());
        backend.matmul(left, right, out);
    }

    @Override
    public void softcapSoftmax(Matrix scores, MemorySegment begin, MemorySegment end, float softcap) {
        requireF32("scores", scores);
        requireSpans(begin, end, scores.rows(), scores.cols());
        gemma_softcap_softmax_f32(scores.data(), scores.rows(), scores.cols(), scores.stride(), begin, end, softcap);
    }

    @Override
    public void softcap(Matrix x, float cap) {
        requireF32("x", x);
        gemma_softcap_f32(x.data(), x.rows(), x.cols(), x.stride(), cap);
    }

    /// A probe of what these threads and this backend can do at most.
    ///
    /// @param bytes of memory that it takes and reads
    public CeilingProbe ceilingProbe(long bytes) {
        return new CeilingProbe(this, backend, bytes);
    }

    /// The most bytes of scratch that products of up to `rows` rows with these weights take, beside their operands.
    public long scratchBytes(int rows, List<WeightMatrix> weights) {
        return products.scratchBytes(rows, weights);
    }

    /// Whether BF16 weights are multiplied by many rows in BF16.
    public boolean multipliesBf16() {
        return products.multipliesBf16();
    }

    /// Whether many rows are multiplied by weights of any format but F32 in BF16, by matrix instructions.
    public boolean multipliesTiles() {
        return products.multipliesTiles();
    }

    /// Whether packed weights are multiplied in int8, unless [#multipliesTiles].
    public boolean multipliesInt8() {
        return rounded;
    }

    /// Frees the scratch memory.
    @Override
    public void close() {
        products.close();
        rowAttention.close();
        attendScratch.close();
    }

    private static void requireDense(String name, Matrix matrix) {
        if (matrix.stride() != matrix.cols()) {
            throw new IllegalArgumentException(
                    "%s: got stride %d, need %d".formatted(name, matrix.stride(), matrix.cols()));
        }
    }
}
