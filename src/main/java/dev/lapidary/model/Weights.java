package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import java.util.List;

/// Weights of a model, borrowed from the checkpoint that is mapped and from the arena of the folded norms.
///
/// @param embedding `[vocab, embedding]`
/// @param head      `[vocab, embedding]`, the embedding itself where it is tied
/// @param finalNorm `[1, embedding]`
/// @param layers    first to last
record Weights(Matrix embedding, Projection head, Matrix finalNorm, List<LayerWeights> layers) {
    Weights {
        layers = List.copyOf(layers);
    }
}
