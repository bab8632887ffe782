package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import org.jspecify.annotations.Nullable;

/// A layer's weights of alternating updates between `n` streams.
///
/// @param routerNorm  `[1, embedding]`, the whole factor of the router's norm
/// @param router      `[n, embedding]`
/// @param prediction  F32 `[n * n, n]`: row `k * n + j` gives stream j's part in the prediction of stream k
/// @param correction  F32 `[n, n]`
/// @param outputScale `[1, embedding]`, on the first stream before per-layer embeddings see it; null without the trait
record AltUpWeights(
        Matrix routerNorm,
        Projection router,
        Matrix prediction,
        Matrix correction,
        @Nullable Matrix outputScale) {}
