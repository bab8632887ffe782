package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Weights without a checkpoint.
final class RandomWeights {
    /// Behind small matrices that a backend multiplies, where a foreign BLAS may read.
    private static final int ROOM_ROWS = 64;

    private final GemmaConfig config;
    private final Arena arena;
    private final SegmentAllocator allocator;
    private final RandomMatrices matrices;

    private RandomWeights(GemmaConfig config, Arena arena, SegmentAllocator allocator) {
        this.config = config;
        this.arena = arena;
        this.allocator = allocator;
        matrices = new RandomMatrices(allocator);
    }

    /// Weights of `config`, its head tied.
    ///
    /// @param arena     owns the norms
    /// @param allocator gives the matrices' memory
    static Weights of(GemmaConfig config, Arena arena, SegmentAllocator allocator) {
        return new RandomWeights(config, arena, allocator).create();
    }

    /// Bytes of the matrices, all but a table of per-layer embeddings: that is left as zeros, which take no memory,
    /// since it may be larger than all others and a token reads one row.
    static long bytes(GemmaConfig config) {
        long elements = ((long) config.vocab() + config.perLayerCols()) * config.embedding();
        if (config.altUp() != null) {
            long streams = config.altUp().streams();
            elements += 2 * (streams - 1) * config.embedding() * config.embedding()
                    + streams * config.embedding() * config.layers().size();
        }
        for (LayerConfig layer : config.layers()) {
            elements += (long) config.embedding() * (layer.inputCols() + layer.queryCols())
                    + 3L * config.embedding() * layer.neurons();
            if (layer.experts() != null) {
                Experts experts = layer.experts();
                elements += (long) config.embedding() * experts.count() * (3L * experts.neurons() + 1);
            }
            if (config.perLayer() != null) {
                elements += 2L * config.embedding() * config.perLayer().width();
            }
            elements += 2L * config.embedding() * config.laurelRank();
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
        PerLayerTable perLayer = config.perLayer() == null ? null : perLayerTable(config.perLayer());
        AltUpProjections altUp = config.altUp() == null ? null : altUp(config.altUp());
        return new Weights(
                embedding,
                new Projection(arena, List.of(embedding)),
                norm(config.embedding()),
                layers,
                perLayer,
                altUp);
    }

    private AltUpProjections altUp(AltUpConfig altUp) {
        int width = config.embedding();
        List<Projection> enter = new ArrayList<>();
        List<Projection> leave = new ArrayList<>();
        for (int i = 1; i < altUp.streams(); i++) {
            enter.add(new Projection(arena, List.of(matrix(width, width))));
            leave.add(new Projection(arena, List.of(matrix(width, width))));
        }
        return new AltUpProjections(enter, leave);
    }

    private AltUpWeights altUpLayer(AltUpConfig altUp) {
        int streams = altUp.streams();
        return new AltUpWeights(
                norm(config.embedding()),
                new Projection(arena, List.of(matrix(streams, config.embedding()))),
                filled(streams * streams + ROOM_ROWS, streams, 0).rows(0, streams * streams),
                filled(streams + ROOM_ROWS, streams, 0).rows(0, streams),
                altUp.scaledOutput() ? norm(config.embedding()) : null);
    }

    private LaurelWeights laurel() {
        int width = config.embedding();
        return new LaurelWeights(
                new Projection(arena, List.of(matrix(config.laurelRank(), width))),
                new Projection(arena, List.of(matrix(width, config.laurelRank()))),
                norm(width));
    }

    private PerLayerTable perLayerTable(PerLayerConfig perLayer) {
        int cols = config.perLayerCols();
        long bytes = Math.multiplyExact((long) perLayer.vocab() * cols, (long) DataType.BF16.bytes());
        MemorySegment zeros = allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES);
        return new PerLayerTable(
                Matrix.dense(zeros, DataType.BF16, perLayer.vocab(), cols),
                new Projection(arena, List.of(matrix(cols, config.embedding()))),
                norm(perLayer.width()));
    }

    private PerLayerWeights perLayer(PerLayerConfig perLayer) {
        int width = config.embedding();
        return new PerLayerWeights(
                new Projection(arena, List.of(matrix(perLayer.width(), width))),
                new Projection(arena, List.of(matrix(width, perLayer.width()))),
                norm(width));
    }

    private ExpertWeights experts(Experts experts) {
        int width = config.embedding();
        List<ExpertWeights.Expert> each = new ArrayList<>();
        for (int i = 0; i < experts.count(); i++) {
            each.add(new ExpertWeights.Expert(
                    matrix(experts.neurons(), width),
                    matrix(experts.neurons(), width),
                    new Projection(arena, List.of(matrix(width, experts.neurons())))));
        }
        return new ExpertWeights(
                norm(width),
                new Projection(arena, List.of(matrix(experts.count(), width))),
                norm(experts.count()),
                norm(width),
                norm(width),
                each,
                norm(width));
    }

    /// A matrix for what the layer projects of queries, keys and values.
    private List<Matrix> queryKeyValue(LayerConfig layer) {
        List<Matrix> parts = new ArrayList<>();
        parts.add(matrix(layer.queryCols(), config.embedding()));
        for (int i = 0; i < layer.keyValues().projections(); i++) {
            parts.add(matrix(layer.kvCols(), config.embedding()));
        }
        return parts;
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
                                : queryKeyValue(layer)),
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
                optionalNorm(post, width),
                optionalNorm(layer.keyValues().valueNorm(), layer.headDim()),
                layer.experts() == null ? null : experts(layer.experts()),
                config.perLayer() == null ? null : perLayer(config.perLayer()),
                1f,
                config.laurelRank() == 0 ? null : laurel(),
                config.altUp() == null ? null : altUpLayer(config.altUp()),
                null);
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
