package dev.lapidary.cli;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A text from the command line, a file, or standard input.
final class TextArgument {
    private TextArgument() {}

    /// @throws IllegalArgumentException if both are given
    static String read(Console console, @Nullable String argument, @Nullable String file) throws IOException {
        if (argument != null && file != null) {
            throw new IllegalArgumentException("text: got an argument and --file, need one of them");
        }
        return argument != null ? argument : console.text(file == null ? "-" : file);
    }
}
