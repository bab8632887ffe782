package dev.lapidary.vision;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

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

    /// Every matrix, in the order of the forward pass.
    Stream<WeightMatrix> matrices() {
        return Stream.of(queryKeyValue, output, up, down).flatMap(each -> each.parts().stream());
    }

    /// The same layer with what `change` makes of each matrix.
    ///
    /// @param arena owns the small tables of projections
    VisionLayer withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new VisionLayer(
                attentionNorm,
                queryKeyValue.map(arena, change),
                queryKeyValueBias,
                output.map(arena, change),
                outputBias,
                feedForwardNorm,
                up.map(arena, change),
                upBias,
                down.map(arena, change),
                downBias);
    }
}
