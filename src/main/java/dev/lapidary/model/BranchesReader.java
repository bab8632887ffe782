package dev.lapidary.model;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.checkpoint.TensorReader;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.model.TensorNames.PerLayerTensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/// Finds the weights of what stands beside attention and feed-forward: experts, per-layer embeddings, streams and
/// second residuals.
final class BranchesReader {
    private static final int ROOM_ROWS = 64;

    private final WeightsReader reader;
    private final GemmaConfig config;
    private final Arena arena;
    private final TensorNames names;
    private final TensorReader tensors;

    /// @param reader finds single tensors, by the same names in the same checkpoint
    BranchesReader(WeightsReader reader, GemmaConfig config, Arena arena, TensorNames names, TensorReader tensors) {
        this.reader = reader;
        this.config = config;
        this.arena = arena;
        this.names = names;
        this.tensors = tensors;
    }

    LaurelWeights laurel(int i) throws CheckpointException {
        int width = config.embedding();
        return new LaurelWeights(
                reader.projection(reader.name(i, LayerTensor.LAUREL_LEFT), config.laurelRank(), width),
                reader.projection(reader.name(i, LayerTensor.LAUREL_RIGHT), width, config.laurelRank()),
                reader.norm(reader.name(i, LayerTensor.POST_LAUREL_NORM), width));
    }

    AltUpProjections altUp(AltUpConfig altUp) throws CheckpointException {
        int width = config.embedding();
        List<Projection> enter = new ArrayList<>();
        List<Projection> leave = new ArrayList<>();
        for (int stream = 1; stream < altUp.streams(); stream++) {
            enter.add(reader.projection(names.stream(stream, true), width, width));
            leave.add(reader.projection(names.stream(stream, false), width, width));
        }
        return new AltUpProjections(enter, leave);
    }

    AltUpWeights altUp(int i, AltUpConfig altUp) throws CheckpointException {
        int width = config.embedding();
        int streams = altUp.streams();
        Matrix routerNorm = reader.norm(reader.name(i, LayerTensor.STREAM_ROUTER_NORM), width);
        multiply(routerNorm, 1.0 / width);
        return new AltUpWeights(
                routerNorm,
                reader.projection(reader.name(i, LayerTensor.STREAM_ROUTER), streams, width),
                widened(i, LayerTensor.STREAM_PREDICTION, streams * streams, streams),
                widened(i, LayerTensor.STREAM_CORRECTION, streams, streams),
                altUp.scaledOutput()
                        ? reader.vector(reader.name(i, LayerTensor.STREAM_OUTPUT_SCALE), List.of((long) width))
                        : null);
    }

    /// A small matrix in F32, with room behind it, where a foreign BLAS may read.
    private Matrix widened(int i, LayerTensor tensor, int rows, int cols) throws CheckpointException {
        Matrix all = reader.vector(reader.name(i, tensor), List.of((long) rows, (long) cols));
        Matrix room = Matrix.allocate(arena, rows + ROOM_ROWS, cols);
        MemorySegment.copy(all.data(), 0, room.data(), 0, all.elementBytes());
        return room.rows(0, rows);
    }

    private static void multiply(Matrix vector, double factor) {
        for (int c = 0; c < vector.cols(); c++) {
            double value = vector.data().getAtIndex(ValueLayout.JAVA_FLOAT, c) * factor;
            vector.data().setAtIndex(ValueLayout.JAVA_FLOAT, c, (float) value);
        }
    }

    PerLayerTable table(PerLayerConfig perLayer) throws CheckpointException {
        int cols = config.perLayerCols();
        return new PerLayerTable(
                reader.matrix(names.perLayer(PerLayerTensor.TABLE), perLayer.vocab(), cols),
                reader.projection(names.perLayer(PerLayerTensor.PROJECTION), cols, config.embedding()),
                reader.norm(names.perLayer(PerLayerTensor.NORM), perLayer.width()));
    }

    PerLayerWeights perLayer(int i, PerLayerConfig perLayer) throws CheckpointException {
        int width = config.embedding();
        return new PerLayerWeights(
                reader.projection(reader.name(i, LayerTensor.PER_LAYER_GATE), perLayer.width(), width),
                reader.projection(reader.name(i, LayerTensor.PER_LAYER_PROJECTION), width, perLayer.width()),
                reader.norm(reader.name(i, LayerTensor.POST_PER_LAYER_NORM), width));
    }

    ExpertWeights experts(int i, Experts experts) throws CheckpointException {
        int width = config.embedding();
        int neurons = experts.neurons();
        Matrix gateUp = stacked(reader.name(i, LayerTensor.EXPERT_GATE_UP), experts.count(), 2 * neurons, width);
        Matrix down = stacked(reader.name(i, LayerTensor.EXPERT_DOWN), experts.count(), width, neurons);
        List<ExpertWeights.Expert> each = new ArrayList<>();
        for (int expert = 0; expert < experts.count(); expert++) {
            each.add(new ExpertWeights.Expert(
                    gateUp.rows(2 * neurons * expert, neurons),
                    gateUp.rows(2 * neurons * expert + neurons, neurons),
                    new Projection(arena, List.of(down.rows(width * expert, width)))));
        }
        return new ExpertWeights(
                routerNorm(i),
                reader.projection(reader.name(i, LayerTensor.ROUTER), experts.count(), width),
                reader.vector(reader.name(i, LayerTensor.EXPERT_SCALE), List.of((long) experts.count())),
                reader.norm(reader.name(i, LayerTensor.POST_DENSE_NORM), width),
                reader.norm(reader.name(i, LayerTensor.PRE_EXPERT_NORM), width),
                each,
                reader.norm(reader.name(i, LayerTensor.POST_EXPERT_NORM), width));
    }

    /// The router's own scale on a norm without weight, and what keeps its scores' size independent of the width.
    private Matrix routerNorm(int i) throws CheckpointException {
        Matrix scale = reader.vector(reader.name(i, LayerTensor.ROUTER_SCALE), List.of((long) config.embedding()));
        multiply(scale, 1 / Math.sqrt(config.embedding()));
        return scale;
    }

    /// Matrices `[rows, cols]` one below another, stored as `[count, rows, cols]`.
    private Matrix stacked(String name, int count, int rows, int cols) throws CheckpointException {
        Tensor tensor = tensors.tensor(name, List.of((long) count, (long) rows, (long) cols));
        return Matrix.dense(tensor.data(), tensor.type(), Math.multiplyExact(count, rows), cols);
    }
}
