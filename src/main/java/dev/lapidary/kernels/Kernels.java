package dev.lapidary.kernels;

import static dev.lapidary.kernels.KernelChecks.requireHeads;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Every arithmetic operation that the decoder may call. Activations are F32; weights are any [WeightMatrix].
///
/// Arguments are checked before anything is computed; a shape that does not fit throws `IllegalArgumentException`.
/// Outputs must not overlap inputs unless said. An implementation may keep scratch memory and is used by one thread at
/// a time.
public interface Kernels {
    /// Called before each run of operations on the thread that makes them: sets up its team of threads.
    void prepare();

    /// `out[r] = scale * table[ids[r]]`.
    ///
    /// @param table `[vocab, embedding]`
    /// @param ids   int32, at least `out.rows()` of them, each in `[0, vocab)`
    /// @param out   `[seq, embedding]`
    void embed(WeightMatrix table, MemorySegment ids, float scale, Matrix out);

    /// `out[r] = in[r] / sqrt(mean(in[r]^2) + epsilon) * weight` (Zhang and Sennrich 2019). `out` may be `in`.
    ///
    /// @param weight `[1, cols]`, the whole factor: for Gemma 1 to 3 the stored weight plus one
    void rmsNorm(Matrix in, Matrix weight, float epsilon, Matrix out);

    /// `residual += rmsNorm(in)`.
    void rmsNormAdd(Matrix in, Matrix weight, float epsilon, Matrix residual);

    /// `out += in`.
    void add(Matrix in, Matrix out);

    /// In place: `x *= factor`.
    void scale(float factor, Matrix x);

    /// `out[r] = in[r] * weight`. `out` may be `in`.
    ///
    /// @param weight `[1, cols]`
    void multiply(Matrix in, Matrix weight, Matrix out);

    /// In place: `x[r] *= rms(like[r]) / max(rms(x[r]), sqrt(1e-5))`, rms the root of the mean square.
    ///
    /// @param like as `x`
    void matchMagnitude(Matrix like, Matrix x);

    /// `out[ids[r]] += factors[r] * in[r]`.
    ///
    /// @param in      `[seq, cols]`
    /// @param ids     int32, `seq` of them, each a row of `out` and none of them twice
    /// @param factors float32, `seq` of them
    void addScaledRows(Matrix in, MemorySegment ids, MemorySegment factors, Matrix out);

    /// `out[r] = (in[r] - mean(in[r])) / sqrt(variance(in[r]) + epsilon) * weight + bias` (Ba et al. 2016), the
    /// variance that of all elements. `out` may be `in`.
    ///
    /// @param weight `[1, cols]`
    /// @param bias   `[1, cols]`
    void layerNorm(Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out);

    /// In place: `x[r] += bias`.
    ///
    /// @param bias `[1, cols]`
    void addBias(Matrix bias, Matrix x);

    /// In place: `x[r] = gelu_tanh(x[r] + bias)`.
    ///
    /// @param bias `[1, cols]`
    void biasGelu(Matrix bias, Matrix x);

    /// Cosines and sines of `positions[r] * inverseFrequencies[i]` (radians), both `[seq, rotated dims / 2]`.
    ///
    /// @param inverseFrequencies float64
    /// @param positions          int32
    void ropeTable(MemorySegment inverseFrequencies, MemorySegment positions, Matrix cos, Matrix sin);

    /// Per head: RMSNorm if `norm` is given, half-split rotation of the first `2 * rope.cols()` elements if `rope`
    /// is given, then `* scale`. `out` may be `in`.
    ///
    /// @param norm  `[1, headDim]` or null
    /// @param rope  angles of each row or null (Su et al. 2021; pairs (i, i + dims / 2))
    /// @param out   F32 or BF16
    default void headNormRope(
            Heads in, @Nullable Matrix norm, float epsilon, @Nullable RopeTable rope, float scale, Heads out) {
        requireHeads("out", out, in.rows(), in.heads(), in.headDim());
        headNormRope(in, 0, in.rows(), norm, epsilon, rope, scale, out, 0);
    }

    /// The same for rows `row` to `row + count` of `in` and of `rope`, which go to rows from `outRow` on: a few
    /// slots of
    /// a cache are written without a view of them.
    void headNormRope(
            Heads in,
            int row,
            int count,
            @Nullable Matrix norm,
            float epsilon,
            @Nullable RopeTable rope,
            float scale,
            Heads out,
            int outRow);

    /// `out = in * weights^T`, the parts' outputs side by side: `[seq, in] -> [seq, weights.rows()]`.
    void project(Matrix in, Projection weights, Matrix out);

    /// `out = gelu_tanh(in * gate^T) * (in * up^T)`: `[seq, in] -> [seq, neurons]` (Shazeer 2020, with the tanh
    /// GELU).
    void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out);

    /// The same with biases `[1, neurons]`: `out = gelu_tanh(in * gate^T + gateBias) * (in * up^T + upBias)`.
    void geglu(Matrix in, WeightMatrix gate, Matrix gateBias, WeightMatrix up, Matrix upBias, Matrix out);

    /// `out = (gelu_tanh(in * gate^T) * (in * up^T)) * down^T`: [#geglu] and [#project] where nobody looks at what
    /// is between, which may then be rounded as inputs of products are.
    ///
    /// @param gated `[seq, neurons]`, room for what is between; it means nothing afterwards
    default void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, Matrix gated, Matrix out) {
        geglu(in, gate, up, gated);
        project(gated, down, out);
    }

    /// As [#geglu(Matrix, WeightMatrix, WeightMatrix, Matrix)] with gates cut off, in each row those that are less
    /// than `deviations` standard deviations above the mean: `out = gelu_tanh(max(0, g - cutoff)) * (in * up^T)`
    /// with `g = in * gate^T`.
    void sparseGeglu(Matrix in, WeightMatrix gate, WeightMatrix up, float deviations, Matrix out);

    /// In place: `gate = gelu_tanh(gate) * up`, of products computed already.
    void geglu(Matrix gate, Matrix up);

    /// A depthwise convolution over time of the rows `row` to `row + count`, which follow each other in one
    /// sequence: `out[r, c] = bias[c] + sum_t taps[t, c] * in[r - (width - 1) + t, c]`.
    ///
    /// @param taps  `[width, cols]`, the last one for the row itself
    /// @param bias  `[1, cols]`
    /// @param state `[width - 1, cols]`, the inputs before `row`, oldest first; null where the sequence begins
    /// @param next  becomes the state behind the last row; not `state`
    void causalConv(
            Matrix in, int row, int count, Matrix taps, Matrix bias, @Nullable Matrix state, Matrix next, Matrix out);

    /// Products of blocks of columns, each with weights of its own, side by side:
    /// `out[block] = in[block] * weights[block] + bias[block]`.
    ///
    /// @param in      `[seq, blocks * k]`
    /// @param weights `[blocks * k, n]` without gaps: a block's `[k, n]`, input first, below another
    /// @param bias    `[1, blocks * n]`
    /// @param out     `[seq, blocks * n]`
    void blockDiagonal(Matrix in, Matrix weights, Matrix bias, Matrix out);

    /// The real-gated linear recurrent unit (De et al. 2024) over the rows `row` to `row + count`, which follow
    /// each other in one sequence, each column on its own: `log a = rate * sigmoid(recurrenceGate)`,
    /// `h = a h + sqrt(1 - a^2) * sigmoid(inputGate) * in`, `out = h * gelu_tanh(branch)`. Inputs, gates and branch
    /// are `[seq, cols]`.
    ///
    /// @param rate  `[1, cols]`, at most 0
    /// @param state `[1, cols]`, h before `row`; null where the sequence begins, whose first h is
    ///              `sigmoid(inputGate) * in`
    /// @param next  becomes h of the last row; not `state`
    /// @param out   `[seq, cols]`; may be `branch`
    void rgLru(
            Matrix in,
            Matrix inputGate,
            Matrix recurrenceGate,
            Matrix branch,
            int row,
            int count,
            Matrix rate,
            @Nullable Matrix state,
            Matrix next,
            Matrix out);

    /// Attention of one position: all its heads over `count` slots of a ring that begin at `firstSlot`, one pass.
    ///
    /// @param query   `[1, heads * headDim]`, scaled
    /// @param keys    `[slots, kvHeads, headDim]`, a head's slots contiguous, F32 or BF16
    /// @param values  as `keys`
    /// @param softcap `cap * tanh(score / cap)` before the softmax, 0 for none
    /// @param out     `[1, heads * headDim]`
    void attend(Matrix query, Heads keys, Heads values, int firstSlot, int count, float softcap, Matrix out);

    /// The same for many positions of one sequence at once, query r over the slots `begin[r] <= j < end[r]`,
    /// counted from `firstSlot`. Kernels that leave F32 products of F32 matrices to a backend do nothing:
    /// [#matmulTransposed], [#softcapSoftmax] and [#matmul] then do it. Inputs may be rounded as those of
    /// [#project] are.
    ///
    /// @param query  `[rows, heads, headDim]`, already scaled
    /// @param keys   `[slots, kvHeads, headDim]`, F32 or BF16
    /// @param values as `keys`
    /// @param begin  int32 `[rows]`, at least 0
    /// @param end    int32 `[rows]`, at most `count`
    /// @param out    `[rows, heads, headDim]`
    /// @return whether it was done
    default boolean attendRows(
            Heads query,
            Heads keys,
            Heads values,
            int firstSlot,
            int count,
            MemorySegment begin,
            MemorySegment end,
            float softcap,
            Heads out) {
        return false;
    }

    /// `out = left * right^T`, all F32: `[m, k], [n, k] -> [m, n]`.
    void matmulTransposed(Matrix left, Matrix right, Matrix out);

    /// `out = left * right`, all F32: `[m, k], [k, n] -> [m, n]`.
    void matmul(Matrix left, Matrix right, Matrix out);

    /// In place: each row keeps columns `[begin[r], end[r])` and becomes `softmax(softcap(score))` there, 0
    /// elsewhere.
    ///
    /// @param begin   int32, one per row
    /// @param end     int32, one per row
    /// @param softcap `cap * tanh(score / cap)` before the softmax, 0 for none
    void softcapSoftmax(Matrix scores, MemorySegment begin, MemorySegment end, float softcap);

    /// In place: `x = cap * tanh(x / cap)`.
    void softcap(Matrix x, float cap);

    /// Cosines and sines of a run of positions.
    ///
    /// @param cos `[seq, rotated dims / 2]`
    /// @param sin `[seq, rotated dims / 2]`
    record RopeTable(Matrix cos, Matrix sin) {
        /// Rows `from` to `from + count`, sharing the data.
        public RopeTable rows(int from, int count) {
            return from == 0 && count == cos.rows()
                    ? this
                    : new RopeTable(cos.rows(from, count), sin.rows(from, count));
        }
    }
}
