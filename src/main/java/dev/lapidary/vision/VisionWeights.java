package dev.lapidary.vision;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weights of the tower and the projector: matrices borrowed from the checkpoint that is mapped, norms and biases F32.
///
/// @param patches        `[width, channels * patchSize * patchSize]`
/// @param positions      `[patches, width]`, row by row of the image
/// @param projectorNorm  `[1, width]`, the whole factor; null where nothing is normed
/// @param projector      `[embedding, width]`
/// @param projectorBias  `[1, embedding]`; null where there is none
record VisionWeights(
        Projection patches,
        Matrix patchBias,
        Matrix positions,
        List<VisionLayer> layers,
        VisionLayer.Norm postNorm,
        @Nullable Matrix projectorNorm,
        Projection projector,
        @Nullable Matrix projectorBias) {
    VisionWeights {
        layers = List.copyOf(layers);
    }
}
