package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;

/// What gives each layer its own embedding of a token: a row of a table, and a projection of the embedding.
///
/// @param table      `[vocab, layers * width]`: rows are gathered where they are stored, whatever becomes of other
///                   weights, since it may be larger than all of them and a token needs one row
/// @param projection `[layers * width, embedding]`
/// @param norm       `[1, width]`, of what the projection gives each layer
record PerLayerTable(WeightMatrix table, Projection projection, Matrix norm) {}
