package dev.lapidary.cli;

import dev.lapidary.CacheFormat;
import dev.lapidary.Compute;
import dev.lapidary.Gemma;
import dev.lapidary.Options;
import dev.lapidary.WeightFormat;
import dev.lapidary.hub.Selection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which model to open, and how it computes.
final class ModelOptions {
    private static final String DEMO_PROPERTY = "lapidary.demo";

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description =
                    "Checkpoint: a folder in Hugging Face layout, a GGUF file, or ORG/NAME[@revision] on the hub, which"
                            + " is downloaded unless it is in the cache. Default: the demo model that ships with"
                            + " Lapidary.")
    private @Nullable String model;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description =
                    "Who multiplies matrices: onednn, openblas, mkl, or cblas:/path/to/library.so. Default: onednn, or"
                            + " what -Dlapidary.backend says.")
    private @Nullable String backend;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute. Default: as many as the container's quota allows.")
    private @Nullable Integer threads;

    @Option(
            names = "--compute",
            paramLabel = "f32|fast",
            description =
                    "f32: F32 arithmetic throughout, on the exact stored weights. fast: inputs of products are rounded"
                            + " to BF16 or int8 where that is faster. Default: fast.")
    private @Nullable Compute compute;

    @Option(
            names = "--chunk",
            paramLabel = "N",
            description = "Most tokens of a prompt computed at once. Default: 512.")
    private @Nullable Integer chunk;

    @Option(
            names = "--weights",
            paramLabel = "FORMAT",
            description = "Hold the layers' weights as f32, bf16, q8_0 or q4_0; what is not stored so is converted on"
                    + " opening. Default: as stored.")
    private @Nullable WeightFormat weights;

    @Option(
            names = "--head-weights",
            paramLabel = "FORMAT",
            description =
                    "The same for the matrix of the logits, which is the embedding too. Default: as --weights, but q8_0"
                            + " where that is q4_0.")
    private @Nullable WeightFormat headWeights;

    @Option(
            names = "--kv-cache",
            paramLabel = "f32|bf16",
            description = "Hold keys and values so. bf16 takes half the memory and rounds them. Default: f32.")
    private @Nullable CacheFormat kvCache;

    /// Whether somebody asked for a model.
    boolean isAsked() {
        return model != null;
    }

    /// The model asked for, or the demo's folder.
    ///
    /// @throws IllegalArgumentException if there is neither
    String name() {
        return model != null ? model : demo().toString();
    }

    /// The folder of the demo model.
    ///
    /// @throws IllegalArgumentException if the program was not told where it is
    static Path demo() {
        String demo = System.getProperty(DEMO_PROPERTY);
        if (demo == null) {
            throw new IllegalArgumentException(
                    "--model: got none, and no demo model beside the program; need a checkpoint");
        }
        return Path.of(demo);
    }

    /// How the model computes.
    Options options() {
        Options options = Options.defaults();
        options = backend == null ? options : options.withBackend(backend);
        options = threads == null ? options : options.withThreads(threads);
        options = compute == null ? options : options.withCompute(compute);
        options = chunk == null ? options : options.withChunk(chunk);
        options = kvCache == null ? options : options.withKvCache(kvCache);
        return options.withWeights(weights).withHeadWeights(headWeights);
    }

    /// Opens the model, and says which one it is where nobody asked for one.
    Gemma open(Console console) throws Exception {
        return open(console, options());
    }

    /// As [#open(Console)], computing in another way.
    Gemma open(Console console, Options options) throws Exception {
        if (model == null) {
            console.note("using the demo model in %s (--model MODEL for another)".formatted(demo()));
        }
        return open(console, name(), options);
    }

    /// Opens a model of another name.
    static Gemma open(Console console, String name, Options options) throws Exception {
        Path from = HubModels.folder(console, name, Selection.model());
        if (!Files.exists(from)) {
            throw new IOException("%s: no such file or folder".formatted(from));
        }
        try (OpeningProgress progress = new OpeningProgress(console)) {
            return Gemma.open(from, options, progress);
        }
    }
}
