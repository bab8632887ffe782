package dev.lapidary;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.GgufPlace;
import dev.lapidary.embedding.EmbeddingConfig;
import dev.lapidary.embedding.EmbeddingModel;
import dev.lapidary.kernels.Backend;
import dev.lapidary.kernels.Backends;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.NativeKernels;
import dev.lapidary.kernels.PageMemory;
import dev.lapidary.model.GemmaConfig;
import dev.lapidary.model.PublishedShape;
import dev.lapidary.model.TextEncoder;
import dev.lapidary.model.TextModel;
import dev.lapidary.model.Workspace;
import dev.lapidary.tokenizer.Tokenizer;
import dev.lapidary.vision.VisionConfig;
import dev.lapidary.vision.VisionModel;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// What a [Gemma] is made of, opened together: if one part cannot be had, the others are closed again.
///
/// @param source     where it comes from, for messages
/// @param checkpoint null for random weights
/// @param arena      owns whatever of the weights is not mapped, and the workspace
/// @param chunk      most tokens of a text in one pass
record OpenModel(
        String source,
        @Nullable Checkpoint checkpoint,
        Arena arena,
        NativeKernels kernels,
        TextModel model,
        @Nullable VisionModel vision,
        @Nullable EmbeddingModel embedding,
        @Nullable TextEncoder encoder,
        int chunk,
        @Nullable Tokenizer tokenizer) {
    /// Reads a checkpoint, as [Gemma#open(Path, Options, OpeningListener)] says.
    @SuppressWarnings("MustBeClosedChecker") // the arena is the model's
    static OpenModel read(Path path, Options options, OpeningListener listener) throws IOException {
        Tokenizer tokenizer = tokenizer(path);
        Backend backend = DriverThread.call(() -> Backends.open(options.backend()));
        Checkpoint checkpoint = Checkpoint.open(path);
        String source = checkpoint.path().toString();
        Arena arena = Arena.ofShared();
        NativeKernels kernels = new NativeKernels(backend, options.threads(), options.compute() == Compute.FAST);
        try {
            GemmaConfig config = TextModel.config(checkpoint);
            VisionConfig visionConfig =
                    VisionModel.config(checkpoint, config.embedding()).orElse(null);
            EmbeddingConfig embeddingConfig =
                    EmbeddingModel.config(checkpoint, config).orElse(null);
            PageMemory memory = new PageMemory(arena);
            Conversion conversion = new Conversion(source, listener);
            TextModel model = TextModel.read(
                    checkpoint,
                    config,
                    Conversion.formats(options),
                    conversion,
                    kernels,
                    rows(options.chunk(), visionConfig, embeddingConfig),
                    arena,
                    memory);
            model = withCache(model, options);
            VisionModel vision = visionConfig == null
                    ? null
                    : VisionModel.read(
                            checkpoint, visionConfig, Conversion.ofTower(options), conversion, kernels, arena, memory);
            EmbeddingModel embedding = embeddingConfig == null
                    ? null
                    : EmbeddingModel.read(checkpoint, embeddingConfig, model, kernels, arena, memory);
            TextEncoder encoder = encoder(checkpoint, model, options, conversion, kernels, arena);
            return new OpenModel(
                    source, checkpoint, arena, kernels, model, vision, embedding, encoder, options.chunk(), tokenizer);
        } catch (IOException | RuntimeException | Error e) {
            kernels.close();
            arena.close();
            checkpoint.close();
            throw e;
        }
    }

    /// What embeds texts keeps nothing between its passes, and computes those in F32.
    private static TextModel withCache(TextModel model, Options options) {
        boolean narrow =
                options.kvCache() == CacheFormat.BF16 && !model.config().bidirectional();
        return model.withCacheType(narrow ? DataType.BF16 : DataType.F32);
    }

    /// The encoder that the model attends to; null where it has none.
    private static @Nullable TextEncoder encoder(
            Checkpoint checkpoint,
            TextModel model,
            Options options,
            Conversion conversion,
            NativeKernels kernels,
            Arena arena)
            throws IOException {
        GemmaConfig config = TextEncoder.config(checkpoint).orElse(null);
        return config == null
                ? null
                : TextEncoder.read(
                        checkpoint,
                        config,
                        model,
                        Conversion.formats(options),
                        conversion,
                        kernels,
                        arena,
                        PageMemory::new);
    }

    /// Draws a published shape's weights, as [Gemma#random] says.
    @SuppressWarnings("MustBeClosedChecker") // the arena is the model's
    static OpenModel random(String shape, Options options) {
        PublishedShape published = PublishedShape.named(shape);
        GemmaConfig config = published.config();
        VisionConfig visionConfig =
                VisionModel.config(published, config.embedding()).orElse(null);
        // What sees both ways is computed as a whole, as long as it may be.
        int rows = config.bidirectional()
                ? Math.max(options.chunk(), config.maxPositions())
                : rows(options.chunk(), visionConfig, null);
        long bytes = TextModel.randomWeightBytes(config) + Workspace.bytes(config, rows);
        if (visionConfig != null) {
            bytes += VisionModel.randomWeightBytes(visionConfig) + VisionModel.workspaceBytes(visionConfig);
        }
        AvailableMemory.require(shape, bytes, MemoryPlan.mebibytes(bytes) + " for weights and workspace");
        Backend backend = DriverThread.call(() -> Backends.open(options.backend()));
        Arena arena = Arena.ofShared();
        NativeKernels kernels = new NativeKernels(backend, options.threads(), options.compute() == Compute.FAST);
        try {
            PageMemory memory = new PageMemory(arena);
            Conversion conversion = new Conversion(shape, (_, _) -> {});
            TextModel model =
                    TextModel.random(config, Conversion.formats(options), conversion, kernels, rows, arena, memory);
            model = withCache(model, options);
            VisionModel vision = visionConfig == null
                    ? null
                    : VisionModel.random(visionConfig, Conversion.ofTower(options), conversion, kernels, arena, memory);
            return new OpenModel(shape, null, arena, kernels, model, vision, null, null, options.chunk(), null);
        } catch (RuntimeException | Error e) {
            kernels.close();
            arena.close();
            throw e;
        }
    }

    /// Rows of a pass: a chunk, and what must be computed together: the tokens of an image, a whole prompt, or a
    /// text to embed.
    private static int rows(int chunk, @Nullable VisionConfig vision, @Nullable EmbeddingConfig embedding) {
        if (embedding != null) {
            return Math.max(chunk, embedding.maxTokens());
        }
        if (vision == null) {
            return chunk;
        }
        return vision.prefix() ? vision.tokensPerImage() + chunk : Math.max(chunk, vision.tokensPerImage());
    }

    /// The tokenizer in a folder or a GGUF file; any other file is no model, which opening the checkpoint then
    /// says.
    private static @Nullable Tokenizer tokenizer(Path path) throws IOException {
        boolean mayHaveOne = Files.isDirectory(path) || GgufPlace.of(path).isPresent();
        return mayHaveOne ? Tokenizer.find(path).orElse(null) : null;
    }
}
