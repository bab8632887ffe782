package dev.lapidary.model;

import org.jspecify.annotations.Nullable;

/// The traits of one decoder layer, all that the decoder asks to know how to run it.
///
/// A RECURRENT layer has no keys: its `heads` are the blocks of its gates' weights, `headDim` columns each, and what
/// only attention has (`kvHeads`, `window`, `softcap`) is 0; rope and query scale say nothing.
///
/// @param attention   which keys it sees
/// @param window      keys a LOCAL layer sees of what went before, the query's own included; 0 in other layers
/// @param rope        its rotary position embedding
/// @param heads       query heads
/// @param kvHeads     key and value heads, a divisor of `heads`
/// @param headDim     elements of one head
/// @param queryScale  factor on the attention scores, applied to the queries
/// @param softcap     `cap * tanh(score / cap)` on attention scores; 0 for none
/// @param queryKeyNorm whether queries and keys get an RMSNorm per head before RoPE
/// @param postNorms   whether the attention and feed-forward outputs get an RMSNorm before the residual add
/// @param neurons     width of the feed-forward
/// @param convolution tokens that a RECURRENT layer's convolution sees, the current one included; 0 in other layers
/// @param biases      whether the output projection and the feed-forward add biases
/// @param bidirectional whether it sees what follows as it sees what went before: so many keys to either side in a
///                      LOCAL layer, all of the sequence in a GLOBAL one
/// @param keyValues   where keys and values come from; [KeyValues#PROJECTED] in a RECURRENT layer too
/// @param experts     what is mixed in beside the feed-forward; null for nothing
/// @param scaledOutput whether a number of the layer's own multiplies the residual stream behind it
/// @param sparsity    fraction of the feed-forward's gates that are cut off, were they normally distributed; 0 for none
/// @param encoderWidth width of an encoded text that it attends to behind its own tokens; 0 where there is none
public record LayerConfig(
        AttentionType attention,
        int window,
        Rope rope,
        int heads,
        int kvHeads,
        int headDim,
        float queryScale,
        float softcap,
        boolean queryKeyNorm,
        boolean postNorms,
        int neurons,
        int convolution,
        boolean biases,
        boolean bidirectional,
        KeyValues keyValues,
        @Nullable Experts experts,
        boolean scaledOutput,
        double sparsity,
        int encoderWidth) {
    /// Throws `IllegalArgumentException` naming the trait that does not fit.
    public LayerConfig {
        require(heads > 0, "heads", heads, "a positive number");
        boolean recurrent = attention == AttentionType.RECURRENT;
        require(
                recurrent ? kvHeads == 0 : kvHeads > 0 && heads % kvHeads == 0,
                "kvHeads",
                kvHeads,
                recurrent ? "0 in a RECURRENT layer" : "a divisor of %d heads".formatted(heads));
        require(
                recurrent ? convolution > 0 : convolution == 0,
                "convolution",
                convolution,
                "0 but for RECURRENT, and a positive number there");
        require(headDim > 0 && headDim % 2 == 0, "headDim", headDim, "a positive even number");
        require(
                headDim <= Integer.MAX_VALUE / (heads + 2L * kvHeads),
                "headDim",
                headDim,
                "few enough elements for %d heads".formatted(heads));
        require(neurons > 0, "neurons", neurons, "a positive number");
        require(
                attention == AttentionType.LOCAL ? window > 0 : window == 0,
                "window",
                window,
                "0 for GLOBAL and a positive number for LOCAL");
        require(!(recurrent && bidirectional), "bidirectional", true, "false for RECURRENT");
        require(
                encoderWidth == 0 || (encoderWidth > 0 && !recurrent && !bidirectional),
                "encoderWidth",
                encoderWidth,
                "0, or a positive number where tokens are predicted by attention");
        require(rope.dims() <= headDim, "rope dims", rope.dims(), "at most %d".formatted(headDim));
        require(softcap >= 0 && Float.isFinite(softcap), "softcap", softcap, "0 or a positive number");
        require(sparsity >= 0 && sparsity < 1, "sparsity", sparsity, "0 or more and less than 1");
        require(queryScale > 0 && Float.isFinite(queryScale), "queryScale", queryScale, "a positive number");
    }

    /// A layer that sees what went before, whose keys and values are projected, without experts and with its output
    /// as it is, which attends to no encoded text.
    public LayerConfig(
            AttentionType attention,
            int window,
            Rope rope,
            int heads,
            int kvHeads,
            int headDim,
            float queryScale,
            float softcap,
            boolean queryKeyNorm,
            boolean postNorms,
            int neurons,
            int convolution,
            boolean biases) {
        this(
                attention,
                window,
                rope,
                heads,
                kvHeads,
                headDim,
                queryScale,
                softcap,
                queryKeyNorm,
                postNorms,
                neurons,
                convolution,
                biases,
                false,
                KeyValues.PROJECTED,
                null,
                false,
                0,
                0);
    }

    /// A layer of attention without biases.
    public LayerConfig(
            AttentionType attention,
            int window,
            Rope rope,
            int heads,
            int kvHeads,
            int headDim,
            float queryScale,
            float softcap,
            boolean queryKeyNorm,
            boolean postNorms,
            int neurons) {
        this(
                attention,
                window,
                rope,
                heads,
                kvHeads,
                headDim,
                queryScale,
                softcap,
                queryKeyNorm,
                postNorms,
                neurons,
                0,
                false);
    }

    /// This layer of attention, seeing what follows too.
    public LayerConfig seeingBothWays() {
        return seeing(true, 0);
    }

    /// This layer of attention, attending to an encoded text of that width too.
    public LayerConfig attendingTo(int width) {
        return seeing(false, width);
    }

    private LayerConfig seeing(boolean bothWays, int width) {
        return new LayerConfig(
                attention,
                window,
                rope,
                heads,
                kvHeads,
                headDim,
                queryScale,
                softcap,
                queryKeyNorm,
                postNorms,
                neurons,
                convolution,
                biases,
                bothWays,
                keyValues,
                experts,
                scaledOutput,
                sparsity,
                width);
    }

    /// Query heads that share one key and value head.
    public int headsPerKv() {
        return heads / kvHeads;
    }

    /// Columns of the input projection: queries, keys and values, or a recurrent block's x and y.
    public int inputCols() {
        return attention == AttentionType.RECURRENT
                ? 2 * queryCols()
                : queryCols() + keyValues.projections() * kvCols();
    }

    /// Columns of the query projection, and of what goes into the output projection; in a RECURRENT layer, of its
    /// state.
    public int queryCols() {
        return heads * headDim;
    }

    /// Columns of the keys, and of the values.
    public int kvCols() {
        return kvHeads * headDim;
    }

    /// Elements that the layer's own cache keeps of a position: keys and values, unless they are another layer's.
    public int cachedCols() {
        return keyValues.isShared() ? 0 : 2 * kvCols();
    }

    private static void require(boolean holds, String trait, Object got, String need) {
        if (!holds) {
            throw new IllegalArgumentException("%s: got %s, need %s".formatted(trait, got, need));
        }
    }
}
