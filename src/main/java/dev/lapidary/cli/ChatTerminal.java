package dev.lapidary.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.Terminal.Signal;
import org.jline.terminal.Terminal.SignalHandler;
import org.jline.terminal.TerminalBuilder;
import org.jspecify.annotations.Nullable;

/// A terminal with line editing and a history that is kept between runs.
final class ChatTerminal implements ChatLines {
    private final Console console;
    private final Terminal terminal;
    private final LineReader reader;

    private ChatTerminal(Console console, Terminal terminal, LineReader reader) {
        this.console = console;
        this.terminal = terminal;
        this.reader = reader;
    }

    static ChatTerminal open(Console console) throws IOException {
        Terminal terminal = TerminalBuilder.builder()
                .system(true)
                .encoding(StandardCharsets.UTF_8)
                .build();
        LineReaderBuilder builder = LineReaderBuilder.builder()
                .terminal(terminal)
                .appName("lapidary")
                .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true);
        Path history = history(System.getenv("XDG_STATE_HOME"), System.getProperty("user.home"));
        try {
            Files.createDirectories(history.getParent());
            builder.variable(LineReader.HISTORY_FILE, history);
        } catch (IOException e) {
            console.note("%s: cannot keep the history there, so it ends with this run".formatted(history));
        }
        return new ChatTerminal(console, terminal, builder.build());
    }

    /// The file of the history, by the XDG base directory specification.
    static Path history(@Nullable String stateHome, String userHome) {
        Path state = stateHome == null || !Path.of(stateHome).isAbsolute()
                ? Path.of(userHome, ".local", "state")
                : Path.of(stateHome);
        return state.resolve("lapidary").resolve("chat-history");
    }

    @Override
    public void greet(String keys) {
        console.note(keys);
    }

    @Override
    public @Nullable String next() {
        while (true) {
            try {
                return reader.readLine("> ");
            } catch (UserInterruptException e) {
                console.note("Ctrl-D or /exit ends the conversation");
            } catch (EndOfFileException e) {
                return null;
            }
        }
    }

    @Override
    public <T> T interruptible(Callable<T> work) throws Exception {
        Thread worker = Thread.currentThread();
        SignalHandler before = terminal.handle(Signal.INT, signal -> worker.interrupt());
        try {
            return work.call();
        } finally {
            terminal.handle(Signal.INT, before);
            Thread.interrupted(); // or the next answer would end at once
        }
    }

    @Override
    public void close() throws IOException {
        terminal.close();
    }
}
