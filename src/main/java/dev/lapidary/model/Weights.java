package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weights of a model, borrowed from the checkpoint that is mapped, or from the memory of those that were converted,
/// and
/// from the arena of the folded norms.
///
/// @param embedding `[vocab, embedding]`
/// @param head      `[vocab, embedding]`, the embedding itself where it is tied
/// @param finalNorm `[1, embedding]`
/// @param layers    first to last
/// @param perLayer  what gives each layer its own embedding of a token, null without the trait
record Weights(
        WeightMatrix embedding,
        Projection head,
        Matrix finalNorm,
        List<LayerWeights> layers,
        @Nullable PerLayerTable perLayer) {
    Weights {
        layers = List.copyOf(layers);
    }

    /// Whether the head is the embedding.
    boolean tiedHead() {
        return head.parts().getFirst().equals(embedding);
    }
}
