package dev.lapidary.model;

import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;

/// What makes the other streams of a token's embedding, and one of them all behind the last layer: `[embedding,
/// embedding]` each, for every stream but the first.
record AltUpProjections(List<Projection> enter, List<Projection> leave) {
    AltUpProjections {
        enter = List.copyOf(enter);
        leave = List.copyOf(leave);
    }

    /// The same with what `change` makes of each matrix.
    ///
    /// @param arena owns the small tables of projections
    AltUpProjections withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new AltUpProjections(
                enter.stream().map(each -> each.map(arena, change)).toList(),
                leave.stream().map(each -> each.map(arena, change)).toList());
    }
}
