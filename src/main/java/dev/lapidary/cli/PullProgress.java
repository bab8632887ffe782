package dev.lapidary.cli;

import dev.lapidary.hub.ModelName;
import dev.lapidary.hub.PullListener;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A download as people watch it: what is to come, a bar with rate and time left, and what went wrong on the way.
final class PullProgress implements PullListener, AutoCloseable {
    private static final int MEBIBYTE = 1 << 20;

    private final Console console;
    private final ModelName model;
    private final Path cache;
    private @Nullable Progress bar;

    PullProgress(Console console, ModelName model, Path cache) {
        this.console = console;
        this.model = model;
        this.cache = cache;
    }

    @Override
    public void planned(int files, long totalBytes, long heldBytes) {
        console.note("pulling %s: %d files, %s%s, into %s"
                .formatted(
                        model,
                        files,
                        Amounts.bytes(totalBytes),
                        heldBytes == 0 ? "" : " (%s are there)".formatted(Amounts.bytes(heldBytes)),
                        cache));
        bar = Progress.of(console, "Pulling", " MiB", MEBIBYTE, totalBytes, heldBytes);
    }

    @Override
    public void received(long bytes) {
        if (bar != null) {
            bar.step(bytes);
        }
    }

    @Override
    public void told(String message) {
        if (bar != null) {
            bar.above(() -> console.note(message));
        } else {
            console.note(message);
        }
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
