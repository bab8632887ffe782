package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.util.ArrayList;
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
/// @param altUp     what makes more streams of the embedding and one of them in the end, null without the trait
record Weights(
        WeightMatrix embedding,
        Projection head,
        Matrix finalNorm,
        List<LayerWeights> layers,
        @Nullable PerLayerTable perLayer,
        @Nullable AltUpProjections altUp) {
    Weights {
        layers = List.copyOf(layers);
    }

    /// Whether the head is the embedding.
    boolean tiedHead() {
        return head.parts().getFirst().equals(embedding);
    }

    /// Matrices outside the layers that may be converted as those in them, in the order in which they are.
    List<WeightMatrix> besideLayers() {
        List<WeightMatrix> matrices = new ArrayList<>();
        if (perLayer != null) {
            matrices.addAll(perLayer.projection().parts());
        }
        if (altUp != null) {
            altUp.enter().forEach(projection -> matrices.addAll(projection.parts()));
            altUp.leave().forEach(projection -> matrices.addAll(projection.parts()));
        }
        return matrices;
    }
}
