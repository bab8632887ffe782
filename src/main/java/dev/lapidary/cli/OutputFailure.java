package dev.lapidary.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Locale;

/// The standard output takes no more.
final class OutputFailure extends UncheckedIOException {
    private static final long serialVersionUID = 1;

    private final boolean readerLeft;

    OutputFailure(IOException cause) {
        super("standard output: " + cause.getMessage(), cause);
        readerLeft = String.valueOf(cause.getMessage()).toLowerCase(Locale.ROOT).contains("broken pipe");
    }

    /// Whether the reader simply had enough, as `head` has.
    boolean readerLeft() {
        return readerLeft;
    }
}
