package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.Session;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.PrintStream;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary score`.
@Command(
        name = "score",
        sortOptions = false,
        customSynopsis = "lapidary score [-m MODEL] (-f FILE | --ids ID,ID...) [OPTIONS]",
        description =
                "How likely a text is under the model: log-probability of each token given those before it, nats per"
                        + " token, perplexity.",
        footer = {
            "",
            "Bos is put in front of a text and not scored; of --ids the first is not scored. A text longer than the"
                    + " model's",
            "positions needs --window N: it is cut into parts of N - 1 tokens, each computed on its own after a bos,"
                    + " so tokens",
            "at the beginning of a part are judged without what came before.",
            "",
            "Examples:",
            "  lapidary score --model gemma-3-1b-pt --file book.txt --window 2048",
            "  lapidary score --file verse.txt --tokens",
            "  lapidary score --ids 2,17,5 --json"
        })
final class ScoreCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "The text; - for standard input.")
    private @Nullable String file;

    @Option(names = "--ids", paramLabel = "ID,ID...", description = "Token ids instead of a text, exactly as given.")
    private @Nullable String ids;

    @Option(
            names = "--window",
            paramLabel = "N",
            description =
                    "Scores the text in parts that together with their bos have N tokens. Default: the whole text at"
                            + " once.")
    private @Nullable Integer window;

    @Option(
            names = "--tokens",
            description = "Prints one token a line: id, log-probability, piece; the sums go to standard error.")
    private boolean perToken;

    @Option(names = "--json", description = "Prints one object: tokens, nats_per_token, perplexity, ids, log_probs.")
    private boolean json;

    ScoreCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if ((file == null) == (ids == null)) {
            throw new IllegalArgumentException(
                    "text: got %s, need one of --file and --ids".formatted(file == null ? "none" : "--file and --ids"));
        }
        if (window != null && (ids != null || window < 2)) {
            throw new IllegalArgumentException("--window: got %d%s, need 2 or more, with --file"
                    .formatted(window, ids == null ? "" : " with --ids"));
        }
        String text = file == null ? "" : console.text(file);
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                Score score = score(gemma, windows(gemma, text));
                print(score, gemma.hasTokenizer() ? gemma.tokenizer() : null);
                return Failures.OK;
            }
        });
    }

    private Windows windows(Gemma gemma, String text) {
        Windows windows;
        if (ids != null) {
            windows = Windows.whole(TokenIds.parse("--ids", ids));
        } else if (window != null) {
            windows = Windows.parts(
                    gemma.tokenizer().encode(text), gemma.tokenizer().bosId(), window);
        } else {
            windows = Windows.whole(gemma.tokenizer().encodePrompt(text));
        }
        if (windows.scored() == 0) {
            throw new IllegalArgumentException("text: got no token to score, need at least one");
        }
        if (windows.longest() > gemma.maxPositions()) {
            throw new IllegalArgumentException(
                    "text: got %d tokens at once, the model has %d positions; need --window %d or less"
                            .formatted(windows.longest(), gemma.maxPositions(), gemma.maxPositions()));
        }
        return windows;
    }

    private Score score(Gemma gemma, Windows windows) {
        if (gemma.hasBidirectionalPrompt()) {
            throw new IllegalArgumentException(
                    "score: got a model whose prompt sees itself, need one that reads forward");
        }
        Score score = new Score(windows.scored());
        try (Session session = gemma.newSession(Capacity.tokens(windows.longest()));
                Progress progress = Progress.of(console, "Score", " tokens", windows.scored())) {
            for (int[] part : windows.parts()) {
                session.rewind(0);
                Prefill.append(progress, session, part, model.options().chunk(), (position, logits) -> {
                    if (position + 1 < part.length) {
                        score.add(part[position + 1], logits);
                    }
                });
            }
        }
        return score;
    }

    private void print(Score score, @Nullable Tokenizer tokenizer) {
        if (json) {
            Json.print(console, json(score));
            return;
        }
        if (perToken) {
            for (int i = 0; i < score.count(); i++) {
                String piece = tokenizer == null ? "" : tokenizer.piece(score.id(i));
                console.out().println(TokenIds.line(score.id(i), score.logProbability(i), piece));
            }
        }
        PrintStream sums = perToken ? console.err() : console.out();
        sums.println("tokens          " + score.count());
        sums.println(Amounts.text("nats per token  %.6f", score.natsPerToken()));
        sums.println(Amounts.text("perplexity      %.4f", score.perplexity()));
    }

    private JsonObject json(Score score) {
        JsonArray tokenIds = new JsonArray();
        JsonArray logProbabilities = new JsonArray();
        for (int i = 0; i < score.count(); i++) {
            tokenIds.add(score.id(i));
            logProbabilities.add(score.logProbability(i));
        }
        JsonObject object = new JsonObject();
        object.addProperty("tokens", score.count());
        object.addProperty("nats_per_token", score.natsPerToken());
        Json.addNumber(object, "perplexity", score.perplexity());
        if (window != null) {
            object.addProperty("window", window);
        }
        object.add("ids", tokenIds);
        object.add("log_probs", logProbabilities);
        return object;
    }
}
