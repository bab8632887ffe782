package dev.lapidary.vision;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
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

    /// Every matrix that may be held in another format: all but the positions.
    Stream<WeightMatrix> matrices() {
        return Stream.of(
                        patches.parts().stream(),
                        layers.stream().flatMap(VisionLayer::matrices),
                        projector.parts().stream())
                .flatMap(each -> each);
    }

    /// The same with what `change` makes of each matrix, in the order of [#matrices].
    ///
    /// @param arena owns the small tables of projections
    VisionWeights withMatrices(Arena arena, UnaryOperator<WeightMatrix> change) {
        Projection changedPatches = patches.map(arena, change);
        List<VisionLayer> changed =
                layers.stream().map(layer -> layer.withMatrices(arena, change)).toList();
        return new VisionWeights(
                changedPatches,
                patchBias,
                positions,
                changed,
                postNorm,
                projectorNorm,
                projector.map(arena, change),
                projectorBias);
    }
}
