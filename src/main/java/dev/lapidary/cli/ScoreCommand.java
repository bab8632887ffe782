package dev.lapidary.cli;

import com.google.gson.stream.JsonWriter;
import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.Session;
import dev.lapidary.Windows;
import dev.lapidary.sampler.Sampler;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
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
            "Bos is put in front of a text and not scored; of --ids the first is not scored. A text longer than",
            "the model's positions needs --window N: it is read window by window, N - 1 tokens after a bos, and",
            "memory does not grow with it (but for --json, which prints every token at the end). Tokens at the",
            "beginning of a window are judged without what came before; with --stride S each window after the",
            "first scores its last S tokens alone, after N - 1 - S that it shares with the one before.",
            "",
            "Examples:",
            "  lapidary score --model gemma-3-1b-pt --file book.txt --window 2048 --stride 1024",
            "  lapidary score --file verse.txt --tokens",
            "  lapidary score --ids 2,17,5 --json"
        })
final class ScoreCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private TextOptions source = new TextOptions();

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
        try (PredictedText text = source.open(console)) {
            return console.work(() -> {
                try (Gemma gemma = model.open(console)) {
                    Score score = score(gemma, text);
                    print(score);
                    return Failures.OK;
                }
            });
        }
    }

    private Score score(Gemma gemma, PredictedText text) throws IOException {
        if (gemma.hasBidirectionalPrompt()) {
            throw new IllegalArgumentException(
                    "score: got a model whose prompt sees itself, need one that reads forward");
        }
        Score score = new Score(json);
        try (Scoring scoring = new Scoring(gemma, text, score)) {
            text.predict("Score", scoring, gemma);
        }
        return score;
    }

    /// Shows a token as soon as it is scored.
    private void show(Gemma gemma, int id, double logProbability) {
        if (perToken && !json) {
            String piece = gemma.hasTokenizer() ? gemma.tokenizer().piece(id) : "";
            console.out().println(TokenIds.line(id, logProbability, piece));
        }
    }

    private void print(Score score) throws IOException {
        if (json) {
            printJson(score);
            return;
        }
        PrintStream sums = perToken ? console.err() : console.out();
        sums.println("tokens          " + score.count());
        sums.println(Amounts.text("nats per token  %.6f", score.natsPerToken()));
        sums.println(Amounts.text("perplexity      %.4f", score.perplexity()));
    }

    /// Written number by number, since there may be millions.
    @SuppressWarnings("resource") // standard output stays open
    private void printJson(Score score) throws IOException {
        JsonWriter writer = new JsonWriter(new OutputStreamWriter(console.out(), StandardCharsets.UTF_8));
        writer.beginObject().name("tokens").value(score.count());
        writer.name("nats_per_token").value(score.natsPerToken());
        if (Double.isFinite(score.perplexity())) {
            writer.name("perplexity").value(score.perplexity());
        }
        if (source.window() != null) {
            writer.name("window").value(source.window());
            writer.name("stride").value(source.stride());
        }
        writer.name("ids").beginArray();
        for (int i = 0; i < score.count(); i++) {
            writer.value(score.id(i));
        }
        writer.endArray().name("log_probs").beginArray();
        for (int i = 0; i < score.count(); i++) {
            writer.value(score.logProbability(i));
        }
        writer.endArray().endObject().flush();
        console.out().println();
    }

    /// One session that takes window after window.
    private final class Scoring implements PredictedText.Predictor, AutoCloseable {
        private final Gemma gemma;
        private final PredictedText text;
        private final Score score;
        private @Nullable Session session;

        Scoring(Gemma gemma, PredictedText text, Score score) {
            this.gemma = gemma;
            this.text = text;
            this.score = score;
        }

        @Override
        public void begin(int longest) {
            session = gemma.newSession(Capacity.tokens(longest));
        }

        @Override
        public void predict(Windows.Window window) {
            Session scoring = Objects.requireNonNull(session);
            scoring.rewind(0);
            scoring.append(window.context());
            scoring.append(window.predicting(), (position, logits) -> {
                int id = window.id(position + 1);
                double logProbability = Sampler.logProbability(logits, id);
                score.add(id, logProbability);
                show(gemma, id, logProbability);
                text.show(position + 2 - window.first(), window);
            });
        }

        @Override
        public void close() {
            if (session != null) {
                session.close();
            }
        }
    }
}
