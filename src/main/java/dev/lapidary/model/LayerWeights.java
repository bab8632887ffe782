package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import org.jspecify.annotations.Nullable;

/// Weights of one decoder layer. Norms are F32 `[1, width]` and hold the whole factor; matrices are `[out, in]` in
/// place.
///
/// @param queryKeyValue     query, key and value projections of the same input
/// @param queryNorm         over a query head, null without the trait
/// @param keyNorm           over a key head, null without the trait
/// @param postAttentionNorm on the attention output before the residual add, null without the trait
/// @param postFeedForwardNorm on the feed-forward output before the residual add, null without the trait
record LayerWeights(
        Matrix preAttentionNorm,
        Projection queryKeyValue,
        @Nullable Matrix queryNorm,
        @Nullable Matrix keyNorm,
        Projection outputProjection,
        @Nullable Matrix postAttentionNorm,
        Matrix preFeedForwardNorm,
        Matrix gate,
        Matrix up,
        Projection down,
        @Nullable Matrix postFeedForwardNorm) {}
