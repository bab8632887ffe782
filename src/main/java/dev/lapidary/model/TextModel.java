package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Kernels;
import dev.lapidary.kernels.WeightMatrix;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.List;
import java.util.Objects;

/// A checkpoint's text model, ready to run: config, weights, and the decoder over them.
public final class TextModel {
    private final GemmaConfig config;
    private final Weights weights;
    private final long convertedBytes;
    private final Workspace workspace;
    private final Decoder decoder;
    private final DataType cacheType;

    private TextModel(
            GemmaConfig config,
            Weights weights,
            long convertedBytes,
            Decoder decoder,
            Workspace workspace,
            DataType cacheType) {
        this.config = config;
        this.weights = weights;
        this.convertedBytes = convertedBytes;
        this.decoder = decoder;
        this.workspace = workspace;
        this.cacheType = cacheType;
    }

    /// Reads config and weights, which stay in the checkpoint's mapping unless `formats` changes them.
    ///
    /// @param checkpoint stays open as long as the model is used
    /// @param formats    what becomes of the matrices
    /// @param observer   sees how matrices are converted, if any are
    /// @param chunk      most tokens in a batch
    /// @param arena      owns the norms
    /// @param memory     gives the memory of converted matrices and of the workspace
    /// @throws CheckpointException naming the file and the key or tensor that does not fit
    public static TextModel read(
            Checkpoint checkpoint,
            WeightFormats formats,
            ConversionObserver observer,
            Kernels kernels,
            int chunk,
            Arena arena,
            SegmentAllocator memory)
            throws CheckpointException {
        return read(checkpoint, config(checkpoint), formats, observer, kernels, chunk, arena, memory);
    }

    /// What `checkpoint` says of its text model.
    ///
    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    public static GemmaConfig config(Checkpoint checkpoint) throws CheckpointException {
        return CheckpointConfig.read(checkpoint);
    }

    /// A tensor of two extents in place, whatever its type.
    ///
    /// @throws CheckpointException naming it, if the kernels have no such type
    public static WeightMatrix matrix(Tensor tensor) throws CheckpointException {
        return WeightsReader.view(tensor);
    }

    /// As [#read(Checkpoint, WeightFormats, ConversionObserver, Kernels, int, Arena, SegmentAllocator)], with the
    /// `config` of the checkpoint read already.
    public static TextModel read(
            Checkpoint checkpoint,
            GemmaConfig config,
            WeightFormats formats,
            ConversionObserver observer,
            Kernels kernels,
            int chunk,
            Arena arena,
            SegmentAllocator memory)
            throws CheckpointException {
        Weights stored = WeightsReader.read(checkpoint, config, arena);
        return converted(config, stored, formats, observer, kernels, chunk, arena, memory);
    }

    /// A model of random weights, which computes as fast as a trained one: drawn in BF16, [#randomWeightBytes] in
    /// all, and converted.
    ///
    /// @param arena  owns the norms
    /// @param memory gives the memory of weights and workspace; what was converted keeps its address space, and no
    ///               pages
    public static TextModel random(
            GemmaConfig config,
            WeightFormats formats,
            ConversionObserver observer,
            Kernels kernels,
            int chunk,
            Arena arena,
            SegmentAllocator memory) {
        Weights drawn = RandomWeights.of(config, arena, memory);
        return converted(config, drawn, formats, observer, kernels, chunk, arena, memory);
    }

    /// Bytes of the matrices of [#random].
    public static long randomWeightBytes(GemmaConfig config) {
        return RandomWeights.bytes(config);
    }

    private static TextModel converted(
            GemmaConfig config,
            Weights stored,
            WeightFormats formats,
            ConversionObserver observer,
            Kernels kernels,
            int chunk,
            Arena arena,
            SegmentAllocator memory) {
        Weights weights = formats.convert(stored, arena, memory, observer);
        return of(config, weights, formats.convertedBytes(stored), kernels, chunk, memory);
    }

    /// A model over weights as they are, `convertedBytes` of which no file backs.
    static TextModel of(
            GemmaConfig config,
            Weights weights,
            long convertedBytes,
            Kernels kernels,
            int chunk,
            SegmentAllocator scratch) {
        Workspace workspace = new Workspace(config, chunk, scratch);
        Decoder decoder = new Decoder(config, weights, kernels, workspace);
        return new TextModel(config, weights, convertedBytes, decoder, workspace, DataType.F32);
    }

    /// The same model, whose caches hold keys and values in this type, F32 or BF16; F32 without this.
    public TextModel withCacheType(DataType type) {
        return new TextModel(config, weights, convertedBytes, decoder, workspace, type);
    }

    /// Extents and traits.
    public GemmaConfig config() {
        return config;
    }

    /// Most tokens in a batch.
    public int chunk() {
        return workspace.maxRows();
    }

    /// How the weights of the layers are held.
    public WeightMatrix layerWeights() {
        return weights.layers().getFirst().down().parts().getFirst();
    }

    /// The layers' matrices, without the head.
    public List<WeightMatrix> layerMatrices() {
        return weights.layers().stream().flatMap(LayerWeights::matrices).toList();
    }

    /// Bytes of the matrices that were converted, which no file backs.
    public long convertedBytes() {
        return convertedBytes;
    }

    /// How the weights of the head are held.
    public WeightMatrix headWeights() {
        return weights.head().parts().getFirst();
    }

    /// Runs batches; on the driver thread only.
    public Decoder decoder() {
        return decoder;
    }

    /// Another decoder of the same weights in the same workspace, on other kernels: one of them at a time.
    public Decoder decoder(Kernels kernels) {
        return new Decoder(config, weights, kernels, workspace);
    }

    /// Another decoder of the same weights, in a workspace of its own.
    Decoder decoder(Kernels kernels, Workspace own) {
        return new Decoder(config, weights, kernels, own);
    }

    /// A layer's weights for attention to an encoded text.
    CrossAttentionWeights crossAttention(int layer) {
        return Objects.requireNonNull(weights.layers().get(layer).crossAttention(), "layers attend to no text");
    }

    /// The tree of modules of a model that encodes texts for another.
    ModuleTree encoderTree() {
        return ModuleTree.ofEncoder(config, weights);
    }

    /// An empty cache for a sequence of up to `capacity` tokens.
    public KvCache newCache(int capacity, SegmentAllocator allocator) {
        return new KvCache(config, capacity, chunk(), cacheType, allocator);
    }

    /// Bytes of such a cache.
    public long cacheBytes(int capacity) {
        return KvCache.bytes(config, capacity, chunk(), cacheType);
    }

    /// Type of the keys and values in caches.
    DataType cacheType() {
        return cacheType;
    }

    /// The tree of modules with their shapes.
    public ModuleTree moduleTree() {
        return ModuleTree.of(config, weights);
    }
}
