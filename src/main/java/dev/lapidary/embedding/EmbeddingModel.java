package dev.lapidary.embedding;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.checkpoint.TensorReader;
import dev.lapidary.embedding.EmbeddingConfig.Dense;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import dev.lapidary.model.Batch;
import dev.lapidary.model.Decoder;
import dev.lapidary.model.GemmaConfig;
import dev.lapidary.model.KvCache;
import dev.lapidary.model.ModuleTree;
import dev.lapidary.model.TextModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;

/// A text model whose tokens see both ways, and what makes one vector of a text's hidden states. Runs on the driver
/// thread, some texts at a time.
public final class EmbeddingModel {
    /// Most texts computed at once; fewer where they have more tokens than a pass has rows.
    static final int MAX_TEXTS = 32;

    /// Keys of a text stand in slots that come in multiples of this.
    private static final int SLOT_ALIGNMENT = 64;

    private final EmbeddingConfig config;
    private final TextModel text;
    private final Kernels kernels;
    private final List<Projection> dense;
    private final Batch batch = new Batch();
    private final MemorySegment cacheMemory;
    private final Matrix pooled;
    private final List<Matrix> denseOutputs = new ArrayList<>();

    private EmbeddingModel(
            EmbeddingConfig config, TextModel text, Kernels kernels, List<Projection> dense, SegmentAllocator memory) {
        this.config = config;
        this.text = text;
        this.kernels = kernels;
        this.dense = List.copyOf(dense);
        cacheMemory = memory.allocate(cacheBytes(text.config(), text.chunk()), Matrix.ALIGNMENT_BYTES);
        pooled = matrix(memory, text.config().embedding());
        for (Dense layer : config.dense()) {
            denseOutputs.add(matrix(memory, layer.dimensions()));
        }
    }

    /// What stands behind the text model of `checkpoint`; empty where its tokens do not see both ways.
    ///
    /// @param text the text model
    /// @throws CheckpointException naming the file and the key that is missing, unknown or not implemented
    public static Optional<EmbeddingConfig> config(Checkpoint checkpoint, GemmaConfig text) throws CheckpointException {
        if (!text.bidirectional()) {
            return Optional.empty();
        }
        return Optional.of(
                switch (checkpoint.configuration()) {
                    case Configuration.HuggingFace _ ->
                        EmbeddingConfigReader.read(checkpoint.path(), text.embedding(), text.maxPositions());
                    case Configuration.Gguf(GgufMetadata metadata) ->
                        GgufEmbeddingConfig.read(metadata, text.architecture(), text.embedding(), text.maxPositions());
                });
    }

    /// Finds the weights of the dense layers, which are used in place.
    ///
    /// @param checkpoint stays open as long as the model is used
    /// @param text   made for passes of at least `config.maxTokens()` rows
    /// @param arena  owns the mappings
    /// @param memory gives the memory of keys, values and outputs
    /// @throws CheckpointException naming the file whose tensor is missing or of another shape or type
    public static EmbeddingModel read(
            Checkpoint checkpoint,
            EmbeddingConfig config,
            TextModel text,
            Kernels kernels,
            Arena arena,
            SegmentAllocator memory)
            throws CheckpointException {
        List<Projection> dense = new ArrayList<>();
        for (Dense layer : config.dense()) {
            dense.add(new Projection(arena, List.of(weight(checkpoint, layer, arena))));
        }
        return new EmbeddingModel(config, text, kernels, dense, memory);
    }

    private static WeightMatrix weight(Checkpoint checkpoint, Dense layer, Arena arena) throws CheckpointException {
        List<Long> shape = List.of((long) layer.dimensions(), (long) layer.inputs());
        if (layer.file() == null) {
            return TextModel.matrix(new TensorReader(checkpoint).tensor(layer.tensor(), shape));
        }
        Map<String, Tensor> tensors = SafetensorsFile.map(layer.file(), arena).tensors();
        Tensor tensor = tensors.get(layer.tensor());
        if (tensor == null || tensors.size() != 1 || !tensor.shape().equals(shape)) {
            throw new CheckpointException("%s: got %s, need %s %s alone"
                    .formatted(
                            layer.file(),
                            tensor == null || tensors.size() != 1
                                    ? String.join(", ", tensors.keySet())
                                    : "%s %s".formatted(tensor.name(), tensor.shape()),
                            layer.tensor(),
                            shape));
        }
        return TextModel.matrix(tensor);
    }

    /// Limits, layers and prompts.
    public EmbeddingConfig config() {
        return config;
    }

    /// Width of an embedding that is not cut.
    public int dimensions() {
        return config.dimensions(text.config().embedding());
    }

    /// Bytes of keys, values and outputs.
    public long workspaceBytes() {
        long outputs = denseOutputs.stream().mapToLong(Matrix::elementBytes).sum();
        return cacheMemory.byteSize() + pooled.elementBytes() + outputs;
    }

    /// How many of `texts`, from the one at `from` on, are computed at once.
    public int together(List<int[]> texts, int from) {
        int rows = 0;
        int count = 0;
        for (int[] ids : texts.subList(from, Math.min(texts.size(), from + MAX_TEXTS))) {
            rows += ids.length;
            if (rows > text.chunk()) {
                break;
            }
            count++;
        }
        return count;
    }

    /// Embeddings of some texts, computed at once.
    ///
    /// @param texts      ids of each, as many as [#together] says
    /// @param dimensions how many of each embedding are wanted: its first ones
    /// @param cancelled  asked before each layer; if it says so, `CancellationException`
    /// @throws CancellationException    if `cancelled` says so
    /// @throws IllegalArgumentException if an id is outside the vocabulary
    public List<float[]> embed(List<int[]> texts, int dimensions, BooleanSupplier cancelled) {
        SegmentAllocator slots = SegmentAllocator.slicingAllocator(cacheMemory);
        batch.clear();
        for (int[] ids : texts) {
            KvCache cache = text.newCache(ids.length, slots);
            batch.add(cache, 0, ids, 0, ids.length);
        }
        Decoder decoder = text.decoder();
        Matrix states = decoder.normed(decoder.forward(batch, cancelled, null));
        Matrix out = pooled.rows(0, texts.size());
        int row = 0;
        for (int i = 0; i < texts.size(); i++) {
            int tokens = texts.get(i).length;
            mean(states.rows(row, tokens), out.row(i));
            row += tokens;
        }
        for (int i = 0; i < dense.size(); i++) {
            Matrix next = denseOutputs.get(i).rows(0, texts.size());
            kernels.project(out, dense.get(i), next);
            out = next;
        }
        List<float[]> embeddings = new ArrayList<>();
        for (int i = 0; i < texts.size(); i++) {
            embeddings.add(finished(out.row(i), dimensions));
        }
        return embeddings;
    }

    /// The mean of the rows, which it writes over: their sum by halves, whose rounding grows with the logarithm of
    /// their number only.
    private void mean(Matrix rows, Matrix out) {
        int left = rows.rows();
        while (left > 1) {
            int half = left / 2;
            kernels.add(rows.rows(left - half, half), rows.rows(0, half));
            left -= half;
        }
        Heads sum = Heads.of(rows.row(0), rows.cols());
        kernels.headNormRope(sum, null, 0, null, 1f / rows.rows(), Heads.of(out, out.cols()));
    }

    /// The first `dimensions` of a row, of length 1 if the model says so: what is cut has a length of its own.
    private float[] finished(Matrix row, int dimensions) {
        float[] all = new float[row.cols()];
        MemorySegment.copy(row.data(), ValueLayout.JAVA_FLOAT, 0, all, 0, all.length);
        float[] embedding = Arrays.copyOf(all, dimensions);
        if (config.normalised()) {
            double squares = 0;
            for (float x : embedding) {
                squares += (double) x * x;
            }
            double length = Math.max(Math.sqrt(squares), 1e-12); // the reference's bound against 0
            for (int i = 0; i < embedding.length; i++) {
                embedding[i] = (float) (embedding[i] / length);
            }
        }
        return embedding;
    }

    /// The modules behind the text model's, in their order.
    public List<ModuleTree> modules() {
        List<ModuleTree> modules = new ArrayList<>();
        modules.add(note("pooling", "mean of all tokens"));
        List<ModuleTree> layers = new ArrayList<>();
        for (Projection layer : dense) {
            layers.add(ModuleTree.leaf(
                    Integer.toString(layers.size()), layer.parts().getFirst()));
        }
        if (!layers.isEmpty()) {
            modules.add(ModuleTree.inner("dense", layers));
        }
        if (config.normalised()) {
            modules.add(note("normalise", "to length 1"));
        }
        return modules;
    }

    private static ModuleTree note(String name, String what) {
        return new ModuleTree(name, what, 0, 0, List.of());
    }

    /// A pass of `rows` tokens, however many texts they are of.
    private static long cacheBytes(GemmaConfig text, int rows) {
        return KvCache.bytes(text, Math.addExact(rows, MAX_TEXTS * SLOT_ALIGNMENT), rows, DataType.F32);
    }

    private static Matrix matrix(SegmentAllocator memory, int cols) {
        long bytes = (long) MAX_TEXTS * cols * Float.BYTES;
        return Matrix.dense(memory.allocate(bytes, Matrix.ALIGNMENT_BYTES), DataType.F32, MAX_TEXTS, cols);
    }
}
