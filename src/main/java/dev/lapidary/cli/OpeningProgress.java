package dev.lapidary.cli;

import dev.lapidary.OpeningListener;
import org.jspecify.annotations.Nullable;

/// Shows that a model is being opened, and how far the conversion of its weights is.
final class OpeningProgress implements OpeningListener, AutoCloseable {
    private static final int MEBIBYTE = 1 << 20;

    private final Console console;
    private final Progress opening;
    private @Nullable Progress converting;
    private long shown;

    OpeningProgress(Console console) {
        this.console = console;
        opening = Progress.of(console, "Opening", "", -1);
    }

    @Override
    public void converted(long storedBytes, long totalBytes) {
        if (converting == null) {
            opening.close();
            converting = Progress.of(console, "Converting weights", " MiB", totalBytes / MEBIBYTE);
        }
        converting.step(storedBytes / MEBIBYTE - shown);
        shown = storedBytes / MEBIBYTE;
    }

    @Override
    public void close() {
        opening.close();
        if (converting != null) {
            converting.close();
        }
    }
}
