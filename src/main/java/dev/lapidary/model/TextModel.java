package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Kernels;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;

/// A checkpoint's text model, ready to run: config, weights, and the decoder over them.
public final class TextModel {
    private final GemmaConfig config;
    private final Weights weights;
    private final Decoder decoder;
    private final int chunk;

    private TextModel(GemmaConfig config, Weights weights, Decoder decoder, int chunk) {
        this.config = config;
        this.weights = weights;
        this.decoder = decoder;
        this.chunk = chunk;
    }

    /// Reads config and weights, which stay in the checkpoint's mapping.
    ///
    /// @param checkpoint stays open as long as the model is used
    /// @param chunk      most tokens in a batch
    /// @param arena      owns the norms
    /// @param scratch    gives the workspace's memory
    /// @throws CheckpointException naming the file and the key or tensor that does not fit
    public static TextModel read(
            Checkpoint checkpoint, Kernels kernels, int chunk, Arena arena, SegmentAllocator scratch)
            throws CheckpointException {
        GemmaConfig config = WeightsReader.config(checkpoint);
        return of(config, WeightsReader.read(checkpoint, config, arena), kernels, chunk, scratch);
    }

    /// A model of random weights in BF16, which computes as fast as a trained one.
    ///
    /// @param arena   owns the norms
    /// @param weights gives the weights' memory, [#randomWeightBytes] in all
    /// @param scratch gives the workspace's memory
    public static TextModel random(
            GemmaConfig config,
            Kernels kernels,
            int chunk,
            Arena arena,
            SegmentAllocator weights,
            SegmentAllocator scratch) {
        return of(config, RandomWeights.of(config, arena, weights), kernels, chunk, scratch);
    }

    /// Bytes of the matrices of [#random].
    public static long randomWeightBytes(GemmaConfig config) {
        return RandomWeights.bytes(config);
    }

    static TextModel of(GemmaConfig config, Weights weights, Kernels kernels, int chunk, SegmentAllocator scratch) {
        Workspace workspace = new Workspace(config, chunk, scratch);
        return new TextModel(config, weights, new Decoder(config, weights, kernels, workspace), chunk);
    }

    /// Extents and traits.
    public GemmaConfig config() {
        return config;
    }

    /// Most tokens in a batch.
    public int chunk() {
        return chunk;
    }

    /// How the weights of the layers are stored.
    public DataType weightType() {
        return weights.layers().getFirst().down().type();
    }

    /// Runs batches; on the driver thread only.
    public Decoder decoder() {
        return decoder;
    }

    /// An empty cache for a sequence of up to `capacity` tokens.
    public KvCache newCache(int capacity, SegmentAllocator allocator) {
        return new KvCache(config, capacity, chunk, allocator);
    }

    /// The tree of modules with their shapes.
    public ModuleTree moduleTree() {
        return ModuleTree.of(config, weights);
    }
}
