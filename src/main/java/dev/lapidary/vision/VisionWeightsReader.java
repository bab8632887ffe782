package dev.lapidary.vision;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.checkpoint.TensorReader;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.vision.VisionConfig.Projector;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/// Finds every weight of the tower and the projector, checks its shape, and makes sure that none was left over.
final class VisionWeightsReader {
    private static final String TOWER = "vision_tower.";
    private static final String PROJECTOR = "multi_modal_projector.";

    private final VisionConfig config;
    private final Arena arena;
    private final String outer;
    private final String tower;
    private final TensorReader tensors;

    private VisionWeightsReader(Checkpoint checkpoint, VisionConfig config, Arena arena) {
        this.config = config;
        tensors = new TensorReader(checkpoint);
        this.arena = arena;
        outer = names(checkpoint).anyMatch(name -> name.startsWith("model." + TOWER)) ? "model." : "";
        String nested = outer + TOWER + "vision_model.";
        tower = names(checkpoint).anyMatch(name -> name.startsWith(nested)) ? nested : outer + TOWER;
    }

    /// Whether there is a tower to read.
    static boolean present(Checkpoint checkpoint) {
        return names(checkpoint).anyMatch(name -> name.startsWith(TOWER) || name.startsWith("model." + TOWER));
    }

    /// Matrices in place, norms and biases in `arena`.
    ///
    /// @throws CheckpointException naming the tensor that is missing, left over or of another shape or type
    static VisionWeights read(Checkpoint checkpoint, VisionConfig config, Arena arena) throws CheckpointException {
        return new VisionWeightsReader(checkpoint, config, arena).read();
    }

    private VisionWeights read() throws CheckpointException {
        int width = config.width();
        String patch = tower + "embeddings.patch_embedding";
        Tensor kernel = tensor(patch + ".weight", width, config.channels(), config.patchSize(), config.patchSize());
        List<VisionLayer> layers = new ArrayList<>();
        Matrix patches = Matrix.dense(kernel.data(), kernel.type(), width, config.patchElements());
        Matrix patchBias = vector(patch + ".bias", width, 0);
        Matrix positions = matrix(tower + "embeddings.position_embedding.weight", config.patches(), width);
        for (int i = 0; i < config.layers(); i++) {
            layers.add(layer(tower + "encoder.layers." + i + "."));
        }
        boolean pooled = config.projector() == Projector.POOLED;
        VisionWeights weights = new VisionWeights(
                new Projection(arena, List.of(patches)),
                patchBias,
                positions,
                layers,
                norm(tower + "post_layernorm"),
                pooled ? vector(outer + PROJECTOR + "mm_soft_emb_norm.weight", width, 1) : null,
                pooled
                        ? new Projection(arena, List.of(transposed(outer + PROJECTOR + "mm_input_projection_weight")))
                        : projection(outer + PROJECTOR + "linear", config.embedding(), width),
                pooled ? null : vector(outer + PROJECTOR + "linear.bias", config.embedding(), 0));
        tensors.refuseLeftOver(
                name -> name.startsWith(outer + TOWER) || name.startsWith(outer + PROJECTOR),
                "vision tower with %d layers".formatted(config.layers()));
        return weights;
    }

    private VisionLayer layer(String name) throws CheckpointException {
        int width = config.width();
        int neurons = config.neurons();
        String attention = name + "self_attn.";
        Matrix bias = Matrix.allocate(arena, 1, 3 * width);
        List<Matrix> parts = new ArrayList<>();
        for (String part : List.of("q_proj", "k_proj", "v_proj")) {
            copy(attention + part + ".bias", 0, bias.cols(parts.size() * width, width));
            parts.add(matrix(attention + part + ".weight", width, width));
        }
        return new VisionLayer(
                norm(name + "layer_norm1"),
                new Projection(arena, parts),
                bias,
                projection(attention + "out_proj", width, width),
                vector(attention + "out_proj.bias", width, 0),
                norm(name + "layer_norm2"),
                projection(name + "mlp.fc1", neurons, width),
                vector(name + "mlp.fc1.bias", neurons, 0),
                projection(name + "mlp.fc2", width, neurons),
                vector(name + "mlp.fc2.bias", width, 0));
    }

    private VisionLayer.Norm norm(String name) throws CheckpointException {
        return new VisionLayer.Norm(
                vector(name + ".weight", config.width(), 0), vector(name + ".bias", config.width(), 0));
    }

    private Projection projection(String name, int rows, int cols) throws CheckpointException {
        return new Projection(arena, List.of(matrix(name + ".weight", rows, cols)));
    }

    private Matrix matrix(String name, int rows, int cols) throws CheckpointException {
        Tensor tensor = tensor(name, rows, cols);
        return Matrix.dense(tensor.data(), tensor.type(), rows, cols);
    }

    /// `[width, embedding]` as the file has it, as `[embedding, width]` in its type.
    private Matrix transposed(String name) throws CheckpointException {
        Matrix stored = matrix(name, config.width(), config.embedding());
        Matrix transposed = Matrix.allocate(arena, stored.type(), stored.cols(), stored.rows());
        for (int row = 0; row < stored.rows(); row++) {
            for (int col = 0; col < stored.cols(); col++) {
                long from = (long) row * stored.cols() + col;
                long to = (long) col * stored.rows() + row;
                if (stored.type() == DataType.F32) {
                    float element = stored.data().getAtIndex(ValueLayout.JAVA_FLOAT, from);
                    transposed.data().setAtIndex(ValueLayout.JAVA_FLOAT, to, element);
                } else {
                    short element = stored.data().getAtIndex(ValueLayout.JAVA_SHORT, from);
                    transposed.data().setAtIndex(ValueLayout.JAVA_SHORT, to, element);
                }
            }
        }
        return transposed;
    }

    /// `stored + offset` in F32.
    private Matrix vector(String name, int width, float offset) throws CheckpointException {
        Matrix vector = Matrix.allocate(arena, 1, width);
        copy(name, offset, vector);
        return vector;
    }

    private void copy(String name, float offset, Matrix to) throws CheckpointException {
        Tensor tensor = tensor(name, to.cols());
        DataType type = tensor.type();
        for (int i = 0; i < to.cols(); i++) {
            to.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, type.get(tensor.data(), i) + offset);
        }
    }

    private Tensor tensor(String name, long... extents) throws CheckpointException {
        return tensors.tensor(name, LongStream.of(extents).boxed().toList());
    }

    private static Stream<String> names(Checkpoint checkpoint) {
        return checkpoint.tensors().keySet().stream();
    }
}
