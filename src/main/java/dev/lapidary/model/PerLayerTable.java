package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.function.UnaryOperator;

/// What gives each layer its own embedding of a token: a row of a table, and a projection of the embedding.
///
/// @param table      `[vocab, layers * width]`: rows are gathered where they are stored, whatever becomes of other
///                   weights, since it may be larger than all of them and a token needs one row
/// @param projection `[layers * width, embedding]`
/// @param norm       `[1, width]`, of what the projection gives each layer
record PerLayerTable(WeightMatrix table, Projection projection, Matrix norm) {
    /// The same with what `change` makes of the projection.
    ///
    /// @param arena owns the small table of the projection
    PerLayerTable withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new PerLayerTable(table, projection.map(arena, change), norm);
    }
}
