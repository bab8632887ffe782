package dev.lapidary.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/// Where the user's turns come from.
sealed interface ChatLines extends AutoCloseable permits ChatLines.Piped, ChatTerminal {
    /// A terminal with line editing where there is one, else plain lines.
    static ChatLines of(Console console) throws IOException {
        return console.isTerminal(StandardStream.IN) && console.isTerminal(StandardStream.OUT)
                ? ChatTerminal.open(console)
                : new Piped(console);
    }

    /// Says how to use it, to whom is there to read it.
    void greet(String keys);

    /// The next line; null at the end.
    @Nullable
    String next() throws IOException;

    /// Runs `work` so that Ctrl-C interrupts it.
    <T> T interruptible(Callable<T> work) throws Exception;

    @Override
    void close() throws IOException;

    /// Lines of a pipe or a file. Ctrl-C ends the program, as everywhere.
    final class Piped implements ChatLines {
        private final BufferedReader reader;

        Piped(Console console) {
            reader = new BufferedReader(new InputStreamReader(console.in(), StandardCharsets.UTF_8));
        }

        @Override
        public void greet(String keys) {}

        @Override
        public @Nullable String next() throws IOException {
            return reader.readLine();
        }

        @Override
        public <T> T interruptible(Callable<T> work) throws Exception {
            return work.call();
        }

        @Override
        public void close() {}
    }
}
