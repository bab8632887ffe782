package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.checkpoint.TensorReader;
import dev.lapidary.kernels.BlockMatrix;
import dev.lapidary.kernels.BlockType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Finds every weight that a config asks for, checks its shape, and makes sure that nothing in the file was left over.
final class WeightsReader {
    /// RecurrentGemma's constant c: `a = exp(-c * gate * softplus(parameter))`.
    private static final double DECAY_SHARPNESS = -8;

    private final Checkpoint checkpoint;
    private final GemmaConfig config;
    private final Arena arena;
    private final TensorNames names;
    private final TensorReader tensors;
    private final BranchesReader branches;

    private WeightsReader(Checkpoint checkpoint, GemmaConfig config, Arena arena) {
        this.checkpoint = checkpoint;
        this.config = config;
        tensors = new TensorReader(checkpoint);
        this.arena = arena;
        names = TensorNames.of(checkpoint, config);
        branches = new BranchesReader(this, config, arena, names, tensors);
    }

    /// Weights of `config` out of `checkpoint`: matrices in place, norms folded to F32 in `arena`.
    ///
    /// @throws CheckpointException naming the tensor that is missing, left over or of another shape or type
    static Weights read(Checkpoint checkpoint, GemmaConfig config, Arena arena) throws CheckpointException {
        return new WeightsReader(checkpoint, config, arena).read();
    }

    private Weights read() throws CheckpointException {
        WeightMatrix embedding = matrix(names.embedding(), config.vocab(), config.embedding());
        boolean ownHead = !config.tiedHead() || checkpoint.tensors().containsKey(names.head());
        WeightMatrix head = ownHead ? matrix(names.head(), config.vocab(), config.embedding()) : embedding;
        Matrix finalNorm = norm(names.finalNorm(), config.embedding());
        List<LayerWeights> layers = new ArrayList<>();
        for (int i = 0; i < config.layers().size(); i++) {
            layers.add(layer(i, config.layers().get(i)));
        }
        PerLayerTable perLayer = config.perLayer() == null ? null : branches.table(config.perLayer());
        AltUpProjections altUp = config.altUp() == null ? null : branches.altUp(config.altUp());
        Set<String> unused = unused();
        tensors.refuseLeftOver(
                name -> !names.belongsElsewhere(name) && !unused.contains(name),
                "%s model with %d layers"
                        .formatted(config.architecture(), config.layers().size()));
        return new Weights(embedding, new Projection(arena, List.of(head)), finalNorm, layers, perLayer, altUp);
    }

    /// What layers that read another layer's keys and values may have kept from their training.
    private Set<String> unused() {
        Set<String> unused = new HashSet<>();
        for (int i = 0; i < config.layers().size(); i++) {
            if (config.layers().get(i).keyValues().isShared()) {
                unused.add(name(i, LayerTensor.KEY));
                unused.add(name(i, LayerTensor.VALUE));
                unused.add(name(i, LayerTensor.KEY_NORM));
            }
        }
        return unused;
    }

    private LayerWeights layer(int i, LayerConfig layer) throws CheckpointException {
        int width = config.embedding();
        boolean qkNorm = layer.queryKeyNorm();
        boolean post = layer.postNorms();
        boolean recurrent = layer.attention() == AttentionType.RECURRENT;
        return new LayerWeights(
                norm(name(i, LayerTensor.PRE_ATTENTION_NORM), width),
                recurrent ? recurrentInput(i, layer) : queryKeyValue(i, layer),
                optionalNorm(qkNorm, i, LayerTensor.QUERY_NORM, layer.headDim()),
                optionalNorm(qkNorm && !layer.keyValues().isShared(), i, LayerTensor.KEY_NORM, layer.headDim()),
                recurrent ? recurrence(i, layer) : null,
                projection(
                        name(i, recurrent ? LayerTensor.RECURRENT_OUTPUT : LayerTensor.ATTENTION_OUTPUT),
                        width,
                        layer.queryCols()),
                optionalVector(
                        layer.biases(),
                        i,
                        recurrent ? LayerTensor.RECURRENT_OUTPUT_BIAS : LayerTensor.ATTENTION_OUTPUT_BIAS,
                        width),
                optionalNorm(post, i, LayerTensor.POST_ATTENTION_NORM, width),
                norm(name(i, LayerTensor.PRE_FEED_FORWARD_NORM), width),
                matrix(name(i, LayerTensor.GATE), layer.neurons(), width),
                matrix(name(i, LayerTensor.UP), layer.neurons(), width),
                projection(name(i, LayerTensor.DOWN), width, layer.neurons()),
                layer.biases() ? feedForwardBiases(i, layer) : null,
                optionalNorm(post, i, LayerTensor.POST_FEED_FORWARD_NORM, width),
                layer.keyValues().valueNorm() ? ones(layer.headDim()) : null,
                layer.experts() == null ? null : branches.experts(i, layer.experts()),
                config.perLayer() == null ? null : branches.perLayer(i, config.perLayer()),
                layer.scaledOutput() ? outputScale(i) : 1f,
                config.laurelRank() == 0 ? null : branches.laurel(i),
                config.altUp() == null ? null : branches.altUp(i, config.altUp()),
                layer.encoderWidth() == 0 ? null : crossAttention(i, layer));
    }

    private CrossAttentionWeights crossAttention(int i, LayerConfig layer) throws CheckpointException {
        int width = config.embedding();
        return new CrossAttentionWeights(
                norm(name(i, LayerTensor.PRE_CROSS_ATTENTION_NORM), width),
                projection(name(i, LayerTensor.CROSS_QUERY), layer.queryCols(), width),
                new Projection(
                        arena,
                        List.of(
                                matrix(name(i, LayerTensor.CROSS_KEY), layer.kvCols(), layer.encoderWidth()),
                                matrix(name(i, LayerTensor.CROSS_VALUE), layer.kvCols(), layer.encoderWidth()))),
                projection(name(i, LayerTensor.CROSS_OUTPUT), width, layer.queryCols()),
                optionalNorm(layer.postNorms(), i, LayerTensor.POST_CROSS_ATTENTION_NORM, width));
    }

    private Projection queryKeyValue(int i, LayerConfig layer) throws CheckpointException {
        int width = config.embedding();
        int projections = layer.keyValues().projections();
        List<WeightMatrix> parts = new ArrayList<>();
        parts.add(matrix(name(i, LayerTensor.QUERY), layer.queryCols(), width));
        for (LayerTensor tensor : List.of(LayerTensor.KEY, LayerTensor.VALUE).subList(0, projections)) {
            parts.add(matrix(name(i, tensor), layer.kvCols(), width));
        }
        return new Projection(arena, parts);
    }

    private float outputScale(int i) throws CheckpointException {
        return vector(name(i, LayerTensor.OUTPUT_SCALE), List.of(1L)).data().get(ValueLayout.JAVA_FLOAT, 0);
    }

    private Matrix ones(int width) {
        Matrix ones = Matrix.allocate(arena, 1, width);
        for (int i = 0; i < width; i++) {
            ones.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f);
        }
        return ones;
    }

    private Projection recurrentInput(int i, LayerConfig layer) throws CheckpointException {
        int width = config.embedding();
        return new Projection(
                arena,
                List.of(
                        matrix(name(i, LayerTensor.RECURRENT_X), layer.queryCols(), width),
                        matrix(name(i, LayerTensor.RECURRENT_Y), layer.queryCols(), width)));
    }

    private RecurrenceWeights recurrence(int i, LayerConfig layer) throws CheckpointException {
        int width = layer.queryCols();
        List<Long> heads = List.of((long) layer.heads(), (long) layer.headDim());
        List<Long> gate = List.of((long) layer.heads(), (long) layer.headDim(), (long) layer.headDim());
        Matrix inputBias = Matrix.allocate(arena, 1, 2 * width);
        widen(tensors.tensor(name(i, LayerTensor.RECURRENT_X_BIAS), List.of((long) width)), inputBias.cols(0, width));
        widen(
                tensors.tensor(name(i, LayerTensor.RECURRENT_Y_BIAS), List.of((long) width)),
                inputBias.cols(width, width));
        return new RecurrenceWeights(
                inputBias,
                taps(i, layer),
                vector(name(i, LayerTensor.CONVOLUTION_BIAS), List.of((long) width)),
                gate(name(i, LayerTensor.INPUT_GATE), gate),
                vector(name(i, LayerTensor.INPUT_GATE_BIAS), heads),
                gate(name(i, LayerTensor.RECURRENCE_GATE), gate),
                vector(name(i, LayerTensor.RECURRENCE_GATE_BIAS), heads),
                rate(i, width));
    }

    /// Stored `[width, 1, taps]`; a tap's weights side by side are what goes through rows fast.
    private Matrix taps(int i, LayerConfig layer) throws CheckpointException {
        int width = layer.queryCols();
        int count = layer.convolution();
        Tensor stored = tensors.tensor(name(i, LayerTensor.CONVOLUTION), List.of((long) width, 1L, (long) count));
        Matrix taps = Matrix.allocate(arena, count, width);
        for (int tap = 0; tap < count; tap++) {
            for (int c = 0; c < width; c++) {
                float weight = stored.type().get(stored.data(), c * count + tap);
                taps.data().setAtIndex(ValueLayout.JAVA_FLOAT, (long) tap * width + c, weight);
            }
        }
        return taps;
    }

    private Matrix gate(String name, List<Long> shape) throws CheckpointException {
        Tensor tensor = tensors.tensor(name, shape);
        int out = Math.toIntExact(shape.getLast());
        return Matrix.dense(tensor.data(), tensor.type(), Math.toIntExact(shape.getFirst() * shape.get(1)), out);
    }

    /// The logarithm of the decay with an open gate: `-8 softplus(parameter)`.
    private Matrix rate(int i, int width) throws CheckpointException {
        Matrix rate = vector(name(i, LayerTensor.RECURRENCE_PARAMETER), List.of((long) width));
        for (int c = 0; c < width; c++) {
            double parameter = rate.data().getAtIndex(ValueLayout.JAVA_FLOAT, c);
            double softplus = Math.max(parameter, 0) + Math.log1p(Math.exp(-Math.abs(parameter)));
            rate.data().setAtIndex(ValueLayout.JAVA_FLOAT, c, (float) (DECAY_SHARPNESS * softplus));
        }
        return rate;
    }

    private FeedForwardBiases feedForwardBiases(int i, LayerConfig layer) throws CheckpointException {
        List<Long> neurons = List.of((long) layer.neurons());
        return new FeedForwardBiases(
                vector(name(i, LayerTensor.GATE_BIAS), neurons),
                vector(name(i, LayerTensor.UP_BIAS), neurons),
                vector(name(i, LayerTensor.DOWN_BIAS), List.of((long) config.embedding())));
    }

    String name(int i, LayerTensor tensor) {
        return names.layer(i, tensor, config.layers().get(i).postNorms());
    }

    Projection projection(String name, int rows, int cols) throws CheckpointException {
        return new Projection(arena, List.of(matrix(name, rows, cols)));
    }

    WeightMatrix matrix(String name, int rows, int cols) throws CheckpointException {
        return view(tensors.tensor(name, List.of((long) rows, (long) cols)));
    }

    /// A tensor of two extents in place.
    static WeightMatrix view(Tensor tensor) throws CheckpointException {
        int rows = Math.toIntExact(tensor.shape().getFirst());
        int cols = Math.toIntExact(tensor.shape().getLast());
        Optional<BlockType> blocks = BlockType.named(tensor.storedType());
        return blocks.isPresent()
                ? new BlockMatrix(tensor.data(), blocks.get(), rows, cols)
                : Matrix.dense(tensor.data(), tensor.type(), rows, cols);
    }

    private @Nullable Matrix optionalNorm(boolean present, int i, LayerTensor tensor, int width)
            throws CheckpointException {
        return present ? norm(name(i, tensor), width) : null;
    }

    /// The factor `stored + normOffset` in F32: norms are small, and folding here spares every kernel the addition.
    Matrix norm(String name, int width) throws CheckpointException {
        Tensor tensor = tensors.tensor(name, List.of((long) width));
        Matrix norm = Matrix.allocate(arena, 1, width);
        for (int i = 0; i < width; i++) {
            float factor = tensor.type().get(tensor.data(), i) + config.normOffset();
            norm.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, factor);
        }
        return norm;
    }

    private @Nullable Matrix optionalVector(boolean present, int i, LayerTensor tensor, int width)
            throws CheckpointException {
        return present ? vector(name(i, tensor), List.of((long) width)) : null;
    }

    /// All elements of a tensor in F32, side by side.
    Matrix vector(String name, List<Long> shape) throws CheckpointException {
        Tensor tensor = tensors.tensor(name, shape);
        int count = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
        Matrix vector = Matrix.allocate(arena, 1, count);
        widen(tensor, vector);
        return vector;
    }

    private static void widen(Tensor tensor, Matrix vector) throws CheckpointException {
        for (int i = 0; i < vector.cols(); i++) {
            vector.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, tensor.type().get(tensor.data(), i));
        }
    }
}
