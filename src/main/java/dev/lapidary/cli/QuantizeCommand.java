package dev.lapidary.cli;

import dev.lapidary.Quantization;
import dev.lapidary.StoredFormat;
import dev.lapidary.hub.Selection;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `lapidary quantize`.
@Command(
        name = "quantize",
        sortOptions = false,
        customSynopsis = "lapidary quantize MODEL OUT --type q8_0|q4_0|bf16|f16|f32 [--head-type TYPE] [--force]",
        description =
                "Writes a model in another format, tokenizer and chat template included: OUT.gguf for a GGUF file, any"
                        + " other name for a folder in Hugging Face layout, OUT.safetensors for its tensors alone.",
        footer = {
            "",
            "q8_0 and q4_0 are GGUF's. Norms stay F32; matrices whose columns are no multiple of 32 become F16.",
            "The weights are read and written in slices: memory does not grow with the model.",
            "",
            "Examples:",
            "  lapidary quantize gemma-3-1b-it gemma-3-1b-it-q4_0.gguf --type q4_0",
            "  lapidary quantize google/gemma-3-1b-it gemma-3-1b-it-q8_0.gguf --type q8_0",
            "  lapidary quantize gemma-3-1b-it-q8_0.gguf gemma-3-1b-it-bf16 --type bf16"
        })
final class QuantizeCommand implements Callable<Integer> {
    private static final long MEBIBYTE = 1 << 20;

    private final Console console;

    @Parameters(
            index = "0",
            paramLabel = "MODEL",
            description = "A folder in Hugging Face layout, a GGUF file, or ORG/NAME[@revision] on the hub.")
    private String model = "";

    @Parameters(index = "1", paramLabel = "OUT", description = "Where to write; files appear once they are complete.")
    private Path out = Path.of("");

    @Option(names = "--type", paramLabel = "TYPE", required = true, description = "q8_0, q4_0, bf16, f16 or f32.")
    private StoredFormat type = StoredFormat.Q8_0;

    @Option(
            names = "--head-type",
            paramLabel = "TYPE",
            description = "The same for the matrix of the logits, which is the embedding too. Default: as --type, but"
                    + " q8_0 where that is q4_0.")
    private @Nullable StoredFormat headType;

    @Option(names = "--force", description = "Replaces what stands at OUT.")
    private boolean force;

    QuantizeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Quantization asked = Quantization.to(type).replacing(force);
        Quantization quantization = headType == null ? asked : asked.withHead(headType);
        return console.work(() -> {
            Path from = HubModels.folder(console, model, Selection.model());
            if (!Files.exists(from)) {
                throw new IOException("%s: no such file or folder".formatted(from));
            }
            for (String note : write(quantization, from)) {
                console.note(note);
            }
            return Failures.OK;
        });
    }

    private List<String> write(Quantization quantization, Path from) throws IOException {
        try (Steps steps = new Steps(console)) {
            return quantization.write(from, out, steps::show);
        }
    }

    /// The bar, which needs the total that only the model tells.
    private static final class Steps implements AutoCloseable {
        private final Console console;
        private @Nullable Progress progress;
        private long shown;

        Steps(Console console) {
            this.console = console;
        }

        void show(long storedBytes, long totalBytes) {
            if (progress == null) {
                progress = Progress.of(console, "Writing", " MiB", totalBytes / MEBIBYTE);
            }
            progress.step(storedBytes / MEBIBYTE - shown);
            shown = storedBytes / MEBIBYTE;
        }

        @Override
        public void close() {
            if (progress != null) {
                progress.close();
            }
        }
    }
}
