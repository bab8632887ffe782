package dev.lapidary.cli;

import dev.lapidary.Gemma;
import dev.lapidary.Windows;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/// A text that is read window by window while models predict it, with a progress bar.
final class PredictedText implements AutoCloseable {
    private static final long UNKNOWN = -1;
    private static final int KIBIBYTE = 1 << 10;

    private final Console console;
    private final int[] ids; // empty for a file
    private final @Nullable Input input;
    private final long fileBytes;
    private final @Nullable Integer window;
    private final int stride;

    private @Nullable Progress progress;
    private boolean countsTokens;
    private long windowBegin; // bytes of the text read before and behind the window at hand
    private long windowEnd;
    private long shown;

    private PredictedText(
            Console console, int[] ids, @Nullable Input input, long fileBytes, @Nullable Integer window, int stride) {
        this.console = console;
        this.ids = ids;
        this.input = input;
        this.fileBytes = fileBytes;
        this.window = window;
        this.stride = stride;
    }

    /// Ids, exactly as given.
    static PredictedText of(Console console, int... ids) {
        return new PredictedText(console, ids, null, UNKNOWN, null, 0);
    }

    /// A file, which is opened.
    ///
    /// @param window tokens of a window; null for the whole text at once
    /// @param stride tokens between two windows, if there are windows
    static PredictedText open(Console console, String file, @Nullable Integer window, int stride) throws IOException {
        boolean regular = !file.equals("-") && Files.isRegularFile(Path.of(file));
        if (!regular && !file.equals("-") && Files.isDirectory(Path.of(file))) {
            throw new IOException("%s: got a folder, need a text file".formatted(file));
        }
        Input input = new Input(console.open(file));
        return new PredictedText(
                console, new int[0], input, regular ? Files.size(Path.of(file)) : UNKNOWN, window, stride);
    }

    /// Hands each window to `predictor`.
    ///
    /// @param task   shown beside the progress
    /// @param models all that predict
    /// @throws IllegalArgumentException if there is nothing to predict, or it does not fit a model
    void predict(String task, Predictor predictor, Gemma... models) throws IOException {
        int most = Integer.MAX_VALUE;
        for (Gemma model : models) {
            most = Math.min(most, model.maxPositions());
        }
        Windows windows = windows(models, most);
        Windows.Window first = windows.next();
        if (first == null) {
            throw new IllegalArgumentException("text: got no token to score, need at least one");
        }
        if (first.length() > most) {
            throw tooLong("%d tokens".formatted(first.length()), most);
        }
        if (window == null && windows.next() != null) {
            throw tooLong("more than %d tokens".formatted(most), most);
        }
        countsTokens = window == null;
        progress = countsTokens
                ? Progress.of(console, task, " tokens", first.predicted())
                : Progress.of(console, task, " KiB", KIBIBYTE, fileBytes, 0);
        predictor.begin(first.length());
        for (Windows.Window next = first; next != null; next = windows.next()) {
            windowBegin = windowEnd;
            windowEnd = input == null ? 0 : input.count;
            predictor.predict(next);
        }
    }

    private Windows windows(Gemma[] models, int most) {
        if (input == null) {
            return Windows.of(ids);
        }
        if (window != null && window > most) {
            throw new IllegalArgumentException(
                    "--window: got %d, need at most the %d positions of the model".formatted(window, most));
        }
        Reader reader = new InputStreamReader(input, StandardCharsets.UTF_8);
        return window == null
                ? Windows.of(models[0].tokenizer(), reader, most, most - 1)
                : Windows.of(models[0].tokenizer(), reader, window, stride);
    }

    private static IllegalArgumentException tooLong(String got, int most) {
        return new IllegalArgumentException("text: got %s at once, the model has %d positions; need --window %d or less"
                .formatted(got, most, most));
    }

    /// Shows that so many tokens of a window were predicted.
    void show(int done, Windows.Window of) {
        if (progress != null) {
            long now = countsTokens ? done : windowBegin + (windowEnd - windowBegin) * done / of.predicted();
            progress.step(now - shown);
            shown = now;
        }
    }

    @Override
    public void close() throws IOException {
        if (progress != null) {
            progress.close();
        }
        if (input != null) {
            input.close();
        }
    }

    /// Takes a text window by window.
    interface Predictor {
        /// Called once, before all windows.
        ///
        /// @param longest tokens of the longest
        void begin(int longest);

        void predict(Windows.Window next);
    }

    /// Counts what was read.
    private static final class Input extends FilterInputStream {
        private long count;

        Input(InputStream in) {
            super(in);
        }

        @Override
        public int read() throws IOException {
            int value = super.read();
            count += value < 0 ? 0 : 1;
            return value;
        }

        @Override
        public int read(byte[] bytes, int from, int most) throws IOException {
            int read = super.read(bytes, from, most);
            count += Math.max(0, read);
            return read;
        }
    }
}
