package dev.lapidary.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// Which text to predict, and how it is cut.
final class TextOptions {
    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The text, UTF-8, of any length; - for standard input.")
    private @Nullable String file;

    @Option(names = "--ids", paramLabel = "ID,ID...", description = "Token ids instead of a text, exactly as given.")
    private @Nullable String ids;

    @Option(
            names = "--window",
            paramLabel = "N",
            description =
                    "Computes the text in windows that together with their bos have N tokens. Default: the whole text"
                            + " at once.")
    private @Nullable Integer window;

    @Option(
            names = "--stride",
            paramLabel = "N",
            description =
                    "Tokens from the beginning of one window to that of the next. Fewer than the window has give each"
                            + " token more of what came before it, for more to compute; each is still scored once."
                            + " Default: windows that do not overlap.")
    private @Nullable Integer stride;

    @Nullable
    Integer window() {
        return window;
    }

    /// Tokens between windows, if there are windows.
    @Nullable
    Integer stride() {
        return window == null ? null : strideOf(window);
    }

    private int strideOf(int windowTokens) {
        return stride == null ? windowTokens - 1 : stride;
    }

    private void check() {
        if ((file == null) == (ids == null)) {
            throw new IllegalArgumentException(
                    "text: got %s, need one of --file and --ids".formatted(file == null ? "none" : "--file and --ids"));
        }
        if (window != null && (ids != null || window < 2)) {
            throw new IllegalArgumentException("--window: got %d%s, need 2 or more, with --file"
                    .formatted(window, ids == null ? "" : " with --ids"));
        }
        if (stride != null) {
            checkStride(stride, window);
        }
    }

    private static void checkStride(int tokens, @Nullable Integer window) {
        if (window == null) {
            throw new IllegalArgumentException("--stride: got %d without a window, need --window".formatted(tokens));
        }
        if (tokens < 1 || tokens > window - 1) {
            throw new IllegalArgumentException(
                    "--stride: got %d, need 1 to %d: a window of %d is bos and %d of the text"
                            .formatted(tokens, window - 1, window, window - 1));
        }
    }

    /// The text, whose file must be there.
    ///
    /// @throws IllegalArgumentException naming the option that is missing or out of range
    PredictedText open(Console console) throws IOException {
        check();
        if (ids != null) {
            return PredictedText.of(console, TokenIds.parse("--ids", ids));
        }
        return PredictedText.open(console, String.valueOf(file), window, window == null ? 0 : strideOf(window));
    }
}
