package dev.lapidary.vision;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;

/// Weights of one block of the tower. Norms and biases are F32 `[1, width of the output]`, matrices `[out, in]`.
///
/// @param queryKeyValue projections of one input, their outputs side by side
/// @param queryKeyValueBias of all three
record VisionLayer(
        Norm attentionNorm,
        Projection queryKeyValue,
        Matrix queryKeyValueBias,
        Projection output,
        Matrix outputBias,
        Norm feedForwardNorm,
        Projection up,
        Matrix upBias,
        Projection down,
        Matrix downBias) {
    /// A LayerNorm.
    record Norm(Matrix weight, Matrix bias) {}
}
