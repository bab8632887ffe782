package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;

/// What a feed-forward adds to its three products, all F32.
///
/// @param gate `[1, neurons]`, before the GELU
/// @param up   `[1, neurons]`
/// @param down `[1, embedding]`
record FeedForwardBiases(Matrix gate, Matrix up, Matrix down) {}
