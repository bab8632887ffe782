package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Weights of one decoder layer. Norms are F32 `[1, width]` and hold the whole factor; matrices are `[out, in]`.
///
/// @param inputProjection   query, key and value, or a recurrent block's x and y, of the same input
/// @param queryNorm         over a query head, null without the trait
/// @param keyNorm           over a key head, null without the trait
/// @param recurrence        a recurrent block's; null with attention
/// @param outputBias        `[1, embedding]`, null without the trait
/// @param postAttentionNorm on the attention output before the residual add, null without the trait
/// @param biases            of the feed-forward, null without the trait
/// @param postFeedForwardNorm on the feed-forward output before the residual add, null without the trait
/// @param crossAttention     to an encoded text, null without the trait
record LayerWeights(
        Matrix preAttentionNorm,
        Projection inputProjection,
        @Nullable Matrix queryNorm,
        @Nullable Matrix keyNorm,
        @Nullable RecurrenceWeights recurrence,
        Projection outputProjection,
        @Nullable Matrix outputBias,
        @Nullable Matrix postAttentionNorm,
        Matrix preFeedForwardNorm,
        WeightMatrix gate,
        WeightMatrix up,
        Projection down,
        @Nullable FeedForwardBiases biases,
        @Nullable Matrix postFeedForwardNorm,
        @Nullable CrossAttentionWeights crossAttention) {
    /// A layer that attends to no encoded text.
    LayerWeights(
            Matrix preAttentionNorm,
            Projection inputProjection,
            @Nullable Matrix queryNorm,
            @Nullable Matrix keyNorm,
            @Nullable RecurrenceWeights recurrence,
            Projection outputProjection,
            @Nullable Matrix outputBias,
            @Nullable Matrix postAttentionNorm,
            Matrix preFeedForwardNorm,
            WeightMatrix gate,
            WeightMatrix up,
            Projection down,
            @Nullable FeedForwardBiases biases,
            @Nullable Matrix postFeedForwardNorm) {
        this(
                preAttentionNorm,
                inputProjection,
                queryNorm,
                keyNorm,
                recurrence,
                outputProjection,
                outputBias,
                postAttentionNorm,
                preFeedForwardNorm,
                gate,
                up,
                down,
                biases,
                postFeedForwardNorm,
                null);
    }

    /// This layer, attending to an encoded text too.
    LayerWeights with(@Nullable CrossAttentionWeights attending) {
        return new LayerWeights(
                preAttentionNorm,
                inputProjection,
                queryNorm,
                keyNorm,
                recurrence,
                outputProjection,
                outputBias,
                postAttentionNorm,
                preFeedForwardNorm,
                gate,
                up,
                down,
                biases,
                postFeedForwardNorm,
                attending);
    }

    /// Every matrix that may be converted, norms and gates of recurrences left out, in the order of the forward
    /// pass.
    Stream<WeightMatrix> matrices() {
        List<WeightMatrix> crossing =
                crossAttention == null ? List.of() : crossAttention.matrices().toList();
        return Stream.of(inputProjection.parts(), outputProjection.parts(), crossing, List.of(gate, up), down.parts())
                .flatMap(List::stream);
    }

    /// The same layer with what `change` makes of each matrix, asked for in the order of [#matrices].
    ///
    /// @param arena owns the small tables of projections
    LayerWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        Projection input = inputProjection.map(arena, change);
        Projection output = outputProjection.map(arena, change);
        CrossAttentionWeights crossing = crossAttention == null ? null : crossAttention.withMatrices(arena, change);
        return new LayerWeights(
                preAttentionNorm,
                input,
                queryNorm,
                keyNorm,
                recurrence,
                output,
                outputBias,
                postAttentionNorm,
                preFeedForwardNorm,
                change.apply(gate),
                change.apply(up),
                down.map(arena, change),
                biases,
                postFeedForwardNorm,
                crossing);
    }
}
