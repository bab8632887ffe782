package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `lapidary detokenize`.
@Command(
        name = "detokenize",
        sortOptions = false,
        customSynopsis = "lapidary detokenize [-m MODEL | --tokenizer FILE] [ID... | -f FILE] [OPTIONS]",
        description = "The text of token ids, exactly: no newline is added unless it goes to a terminal.",
        footer = {
            "",
            "Examples:",
            "  lapidary detokenize 2012,1992,280",
            "  lapidary tokenize --file book.txt | lapidary detokenize | cmp - book.txt"
        })
final class DetokenizeCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private TokenizerOptions tokenizer = new TokenizerOptions();

    @Parameters(
            arity = "0..*",
            paramLabel = "ID",
            description = "Ids, with commas or spaces between. Default: --file, or else standard input.")
    private @Nullable List<String> ids;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The ids; - for standard input.")
    private @Nullable String file;

    @Option(names = "--json", description = "Prints one object: text.")
    private boolean json;

    DetokenizeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer vocabulary = tokenizer.load(console);
        String given = TextArgument.read(console, ids == null ? null : String.join(" ", ids), file);
        String text = vocabulary.decode(TokenIds.parse("ids", given));
        if (json) {
            JsonObject object = new JsonObject();
            object.addProperty("text", text);
            Json.print(console, object);
        } else {
            console.out().print(text);
            if (console.isTerminal(StandardStream.OUT)) {
                console.out().println();
            }
        }
        return Failures.OK;
    }
}
