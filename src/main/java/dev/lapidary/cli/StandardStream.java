package dev.lapidary.cli;

import java.io.IOException;
import org.jline.terminal.spi.SystemStream;
import org.jline.terminal.spi.TerminalProvider;

/// The three streams of a process, as far as a terminal is concerned.
enum StandardStream {
    IN(SystemStream.Input),
    OUT(SystemStream.Output),
    ERR(SystemStream.Error);

    private static final int USUAL_COLUMNS = 80;

    private final SystemStream stream;

    StandardStream(SystemStream stream) {
        this.stream = stream;
    }

    boolean isTerminal() {
        try {
            return provider().isSystemStream(stream);
        } catch (IOException | RuntimeException | LinkageError e) {
            return false;
        }
    }

    /// Columns of the terminal that this stream is.
    int columns() {
        try {
            int columns = provider().systemStreamWidth(stream);
            return columns > 0 ? columns : USUAL_COLUMNS;
        } catch (IOException | RuntimeException | LinkageError e) {
            return USUAL_COLUMNS;
        }
    }

    private static TerminalProvider provider() throws IOException {
        return TerminalProvider.load("ffm");
    }
}
