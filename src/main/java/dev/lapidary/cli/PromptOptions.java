package dev.lapidary.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The prompt: a text, a file's text, or token ids.
final class PromptOptions {
    @Option(
            names = {"-p", "--prompt"},
            paramLabel = "TEXT",
            description =
                    "The prompt; - reads it from standard input. Symbols such as <start_of_turn> are understood, bos"
                            + " is put in front.")
    private @Nullable String text;

    @Option(
            names = {"-f", "--prompt-file"},
            paramLabel = "FILE",
            description = "As --prompt, from a file.")
    private @Nullable String file;

    @Option(
            names = "--ids",
            paramLabel = "ID,ID...",
            description = "The prompt as token ids, taken exactly as given: no bos is added, and the folder needs no"
                    + " tokenizer.")
    private @Nullable String ids;

    /// Names of the options that were given.
    List<String> given() {
        List<String> given = new ArrayList<>();
        if (text != null) {
            given.add("--prompt");
        }
        if (file != null) {
            given.add("--prompt-file");
        }
        if (ids != null) {
            given.add("--ids");
        }
        return given;
    }

    /// Reads what was given.
    ///
    /// @throws IllegalArgumentException unless it was exactly one, or if the ids are not numbers
    Prompt read(Console console) throws IOException {
        requireOne();
        if (ids != null) {
            return Prompt.of(TokenIds.parse("--ids", ids));
        }
        return Prompt.of(text(console));
    }

    /// Reads the text that was given.
    ///
    /// @throws IllegalArgumentException if there is none but ids
    String text(Console console) throws IOException {
        requireOne();
        if (file != null) {
            return console.text(file);
        }
        if (text == null) {
            throw new IllegalArgumentException("prompt: got --ids, need a text");
        }
        return text.equals("-") ? console.text("-") : text;
    }

    private void requireOne() {
        List<String> given = given();
        if (given.size() != 1) {
            throw new IllegalArgumentException("prompt: got %s, need one of --prompt, --prompt-file and --ids"
                    .formatted(given.isEmpty() ? "none" : String.join(" and ", given)));
        }
    }
}
