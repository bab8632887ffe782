package dev.lapidary.vision;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.model.RandomMatrices;
import dev.lapidary.vision.VisionConfig.Projector;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// A tower and projector without a checkpoint: BF16 matrices, norms of one and biases of nothing.
final class RandomVisionWeights {
    private final VisionConfig config;
    private final Arena arena;
    private final RandomMatrices random;

    private RandomVisionWeights(VisionConfig config, Arena arena, SegmentAllocator memory) {
        this.config = config;
        this.arena = arena;
        random = new RandomMatrices(memory);
    }

    /// @param arena  owns norms and biases
    /// @param memory gives the matrices' memory
    static VisionWeights of(VisionConfig config, Arena arena, SegmentAllocator memory) {
        return new RandomVisionWeights(config, arena, memory).weights();
    }

    /// Elements of the matrices.
    static long elements(VisionConfig config) {
        long width = config.width();
        long layer = 4 * width * width + 2 * width * config.neurons();
        return width * (config.patchElements() + config.patches() + config.embedding()) + config.layers() * layer;
    }

    private VisionWeights weights() {
        int width = config.width();
        boolean pooled = config.projector() == Projector.POOLED;
        Projection patches = projection(width, config.patchElements());
        Matrix positions = random.matrix(config.patches(), width);
        List<VisionLayer> layers = new ArrayList<>();
        for (int i = 0; i < config.layers(); i++) {
            layers.add(layer(width, config.neurons()));
        }
        return new VisionWeights(
                patches,
                filled(width, 0),
                positions,
                layers,
                norm(width),
                pooled ? filled(width, 1) : null,
                projection(config.embedding(), width),
                pooled ? null : filled(config.embedding(), 0));
    }

    private VisionLayer layer(int width, int neurons) {
        return new VisionLayer(
                norm(width),
                new Projection(
                        arena,
                        List.of(random.matrix(width, width), random.matrix(width, width), random.matrix(width, width))),
                filled(3 * width, 0),
                projection(width, width),
                filled(width, 0),
                norm(width),
                projection(neurons, width),
                filled(neurons, 0),
                projection(width, neurons),
                filled(width, 0));
    }

    private Projection projection(int rows, int cols) {
        return new Projection(arena, List.of(random.matrix(rows, cols)));
    }

    private VisionLayer.Norm norm(int width) {
        return new VisionLayer.Norm(filled(width, 1), filled(width, 0));
    }

    private Matrix filled(int width, float value) {
        Matrix matrix = Matrix.allocate(arena, 1, width);
        for (int i = 0; i < width; i++) {
            matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return matrix;
    }
}
