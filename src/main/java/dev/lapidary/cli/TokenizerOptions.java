package dev.lapidary.cli;

import dev.lapidary.hub.Selection;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which vocabulary to use; the model itself is not opened.
final class TokenizerOptions {
    @Option(
            names = "--tokenizer",
            paramLabel = "FILE",
            description = "A tokenizer.model, a tokenizer.json or a GGUF file.")
    private @Nullable Path file;

    @Option(
            names = {"-m", "--model"},
            paramLabel = "MODEL",
            description = "A model with one of them, or ORG/NAME[@revision] on the hub. Default: the demo model that"
                    + " ships with Lapidary.")
    private @Nullable String model;

    Tokenizer load(Console console) throws IOException {
        if (file != null && model != null) {
            throw new IllegalArgumentException("tokenizer: got --tokenizer and --model, need one of them");
        }
        if (file != null) {
            return Tokenizer.load(file);
        }
        return Tokenizer.load(
                model != null ? HubModels.folder(console, model, Selection.tokenizer()) : ModelOptions.demo());
    }
}
