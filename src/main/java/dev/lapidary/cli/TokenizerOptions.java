package dev.lapidary.cli;

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
            paramLabel = "PATH",
            description = "A model with one of them. Default: the demo model that ships with Lapidary.")
    private @Nullable Path folder;

    Tokenizer load() throws IOException {
        if (file != null && folder != null) {
            throw new IllegalArgumentException("tokenizer: got --tokenizer and --model, need one of them");
        }
        if (file != null) {
            return Tokenizer.load(file);
        }
        return Tokenizer.load(folder != null ? folder : ModelOptions.demo());
    }
}
