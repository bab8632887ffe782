package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;

/// What lets a layer's own embedding of a token into the residual stream.
///
/// @param gate       `[width, embedding]`
/// @param projection `[embedding, width]`
/// @param norm       `[1, embedding]`, of what is added
record PerLayerWeights(Projection gate, Projection projection, Matrix norm) {
    /// Every matrix that may be converted.
    List<WeightMatrix> matrices() {
        return List.of(gate.parts().getFirst(), projection.parts().getFirst());
    }

    /// The same with what `change` makes of each of [#matrices], asked for in that order.
    ///
    /// @param arena owns the small tables of projections
    PerLayerWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new PerLayerWeights(gate.map(arena, change), projection.map(arena, change), norm);
    }
}
