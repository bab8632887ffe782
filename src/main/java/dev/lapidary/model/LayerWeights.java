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
/// @param valueNorm         ones, over a value head, null without the trait
/// @param experts           of the mixture beside the feed-forward, null without the trait
/// @param perLayer          of the layer's own embedding, null without the trait
/// @param outputScale       multiplies the residual stream behind the layer; 1 without the trait
/// @param laurel            of the residual beside attention, null without the trait
/// @param altUp             of the streams beside the residual one, null without the trait
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
        @Nullable Matrix valueNorm,
        @Nullable ExpertWeights experts,
        @Nullable PerLayerWeights perLayer,
        float outputScale,
        @Nullable LaurelWeights laurel,
        @Nullable AltUpWeights altUp,
        @Nullable CrossAttentionWeights crossAttention) {
    /// Every matrix that may be converted, norms, routers and gates of recurrences left out, in the order of the
    /// forward pass.
    Stream<WeightMatrix> matrices() {
        return Stream.of(
                        inputProjection.parts(),
                        outputProjection.parts(),
                        crossAttention == null
                                ? List.<WeightMatrix>of()
                                : crossAttention.matrices().toList(),
                        List.of(gate, up),
                        down.parts(),
                        experts == null ? List.<WeightMatrix>of() : experts.matrices(),
                        perLayer == null ? List.<WeightMatrix>of() : perLayer.matrices(),
                        laurel == null ? List.<WeightMatrix>of() : laurel.matrices())
                .flatMap(List::stream);
    }

    /// The same layer with what `change` makes of each matrix, asked for in the order of [#matrices].
    ///
    /// @param arena owns the small tables of projections
    LayerWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new LayerWeights(
                preAttentionNorm,
                inputProjection.map(arena, change),
                queryNorm,
                keyNorm,
                recurrence,
                outputProjection.map(arena, change),
                outputBias,
                postAttentionNorm,
                preFeedForwardNorm,
                change.apply(gate),
                change.apply(up),
                down.map(arena, change),
                biases,
                postFeedForwardNorm,
                valueNorm,
                experts == null ? null : experts.withMatrices(arena, change),
                perLayer == null ? null : perLayer.withMatrices(arena, change),
                outputScale,
                laurel == null ? null : laurel.withMatrices(arena, change),
                altUp,
                crossAttention == null ? null : crossAttention.withMatrices(arena, change));
    }
}
