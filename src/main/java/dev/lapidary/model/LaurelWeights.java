package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;

/// A learned augmented residual beside a layer's attention (LAuReL, Menghani et al. 2024): `x + norm(right(left(x)))`.
///
/// @param left  `[rank, embedding]`
/// @param right `[embedding, rank]`
/// @param norm  `[1, embedding]`
record LaurelWeights(Projection left, Projection right, Matrix norm) {
    /// Every matrix that may be converted.
    List<WeightMatrix> matrices() {
        return List.of(left.parts().getFirst(), right.parts().getFirst());
    }

    /// The same with what `change` makes of each of [#matrices], asked for in that order.
    ///
    /// @param arena owns the small tables of projections
    LaurelWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new LaurelWeights(left.map(arena, change), right.map(arena, change), norm);
    }
}
