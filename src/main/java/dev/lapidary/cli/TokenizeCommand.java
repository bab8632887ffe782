package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `lapidary tokenize`.
@Command(
        name = "tokenize",
        sortOptions = false,
        customSynopsis = "lapidary tokenize [-m MODEL | --tokenizer FILE] [TEXT | -f FILE] [OPTIONS]",
        description = "Token ids of a text, on one line with commas between, as --ids takes them.",
        footer = {
            "",
            "Examples:",
            "  lapidary tokenize \"In the beginning\"",
            "  lapidary tokenize --model gemma-3-1b-it --file book.txt --json",
            "  lapidary tokenize --tokenizer tokenizer.json --pieces < book.txt"
        })
final class TokenizeCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private TokenizerOptions tokenizer = new TokenizerOptions();

    @Parameters(arity = "0..1", paramLabel = "TEXT", description = "The text. Default: --file, or else standard input.")
    private @Nullable String text;

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The text; - for standard input.")
    private @Nullable String file;

    @Option(names = "--bos", description = "Puts the begin-of-sequence id in front.")
    private boolean bos;

    @Option(names = "--pieces", description = "Prints one token a line: id, piece.")
    private boolean pieces;

    @Option(names = "--json", description = "Prints one object: ids, pieces.")
    private boolean json;

    TokenizeCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws IOException {
        Tokenizer vocabulary = tokenizer.load(console);
        String given = TextArgument.read(console, text, file);
        int[] ids = bos ? vocabulary.encodePrompt(given) : vocabulary.encode(given);
        if (json) {
            JsonArray spelled = new JsonArray(ids.length);
            IntStream.of(ids).forEach(id -> spelled.add(vocabulary.piece(id)));
            JsonObject object = new JsonObject();
            object.add("ids", Json.ints(ids));
            object.add("pieces", spelled);
            Json.print(console, object);
        } else if (pieces) {
            IntStream.of(ids).forEach(id -> console.out().println(TokenIds.line(id, vocabulary.piece(id))));
        } else {
            console.out().println(TokenIds.text(ids));
        }
        return Failures.OK;
    }
}
