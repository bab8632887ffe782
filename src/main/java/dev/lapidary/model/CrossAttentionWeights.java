package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Weights of a layer's attention to an encoded text. Norms are F32 `[1, embedding]` and hold the whole factor.
///
/// @param preNorm  in front of the queries
/// @param query    `[queryCols, embedding]`
/// @param keyValue `[2 * kvCols, encoderWidth]`, keys and values of an encoded text
/// @param output   `[embedding, queryCols]`
/// @param postNorm on the output before the residual add, null without the trait
record CrossAttentionWeights(
        Matrix preNorm,
        Projection query,
        Projection keyValue,
        Projection output,
        @Nullable Matrix postNorm) {
    /// Every matrix, in the order of the forward pass.
    Stream<WeightMatrix> matrices() {
        return Stream.of(query.parts(), keyValue.parts(), output.parts()).flatMap(List::stream);
    }

    /// The same with what `change` makes of each matrix, asked for in the order of [#matrices].
    ///
    /// @param arena owns the small tables of projections
    CrossAttentionWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new CrossAttentionWeights(
                preNorm, query.map(arena, change), keyValue.map(arena, change), output.map(arena, change), postNorm);
    }
}
