package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weights without a checkpoint.
final class RandomWeights {
    private final GemmaConfig config;
    private final Arena arena;
    private final RandomMatrices matrices;

    private RandomWeights(GemmaConfig config, Arena arena, SegmentAllocator allocator) {
        this.config = config;
        this.arena = arena;
        matrices = new RandomMatrices(allocator);
    }

    /// Weights of `config`, its head tied.
    ///
    /// @param arena     owns the norms
    /// @param allocator gives the matrices' memory
    static Weights of(GemmaConfig config, Arena arena, SegmentAllocator allocator) {
        return new RandomWeights(config, arena, allocator).create();
    }

    /// Bytes of the matrices.
    static long bytes(GemmaConfig config) {
        long elements = (long) config.vocab() * config.embedding();
        for (LayerConfig layer : config.layers()) {
            elements += (long) config.embedding() * (layer.inputCols() + layer.queryCols())
                    + 3L * config.embedding() * layer.neurons();
            if (layer.attention() == AttentionType.RECURRENT) {
                elements += 2L * layer.queryCols() * layer.headDim();
            }
        }
        return elements * DataType.BF16.bytes();
    }

    private Weights create() {
        Matrix embedding = matrix(config.vocab(), config.embedding());
        List<LayerWeights> layers = new ArrayList<>();
        for (LayerConfig layer : config.layers()) {
            layers.add(layer(layer));
        }
        return new Weights(embedding, new Projection(arena, List.of(embedding)), norm(config.embedding()), layers);
    }

    private LayerWeights layer(LayerConfig layer) {
        int width = config.embedding();
        boolean post = layer.postNorms();
        boolean recurrent = layer.attention() == AttentionType.RECURRENT;
        return new LayerWeights(
                norm(width),
                new Projection(
                        arena,
                        recurrent
                                ? List.of(matrix(layer.queryCols(), width), matrix(layer.queryCols(), width))
                                : List.of(
                                        matrix(layer.queryCols(), width),
                                        matrix(layer.kvCols(), width),
                                        matrix(layer.kvCols(), width))),
                optionalNorm(layer.queryKeyNorm(), layer.headDim()),
                optionalNorm(layer.queryKeyNorm(), layer.headDim()),
                recurrent ? recurrence(layer) : null,
                new Projection(arena, List.of(matrix(width, layer.queryCols()))),
                layer.biases() ? filled(1, width, 0) : null,
                optionalNorm(post, width),
                norm(width),
                matrix(layer.neurons(), width),
                matrix(layer.neurons(), width),
                new Projection(arena, List.of(matrix(width, layer.neurons()))),
                layer.biases()
                        ? new FeedForwardBiases(
                                filled(1, layer.neurons(), 0), filled(1, layer.neurons(), 0), filled(1, width, 0))
                        : null,
                optionalNorm(post, width));
    }

    private Matrix matrix(int rows, int cols) {
        return matrices.matrix(rows, cols);
    }

    private @Nullable Matrix optionalNorm(boolean present, int width) {
        return present ? norm(width) : null;
    }

    /// The factor that an untrained norm has.
    private Matrix norm(int width) {
        return filled(1, width, 1);
    }

    /// Decays by a tenth per token with a gate half open; a convolution that is the mean of its taps.
    private RecurrenceWeights recurrence(LayerConfig layer) {
        int width = layer.queryCols();
        return new RecurrenceWeights(
                filled(1, 2 * width, 0),
                filled(layer.convolution(), width, 1f / layer.convolution()),
                filled(1, width, 0),
                matrix(width, layer.headDim()),
                filled(1, width, 0),
                matrix(width, layer.headDim()),
                filled(1, width, 0),
                filled(1, width, -0.2f));
    }

    private Matrix filled(int rows, int cols, float value) {
        Matrix matrix = Matrix.allocate(arena, rows, cols);
        for (long i = 0; i < (long) rows * cols; i++) {
            matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return matrix;
    }
}
