package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.CacheFormat;
import dev.lapidary.Capacity;
import dev.lapidary.Comparison;
import dev.lapidary.Compute;
import dev.lapidary.Gemma;
import dev.lapidary.MemoryPlan;
import dev.lapidary.Options;
import dev.lapidary.WeightFormat;
import dev.lapidary.Windows;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary compare`.
@Command(
        name = "compare",
        sortOptions = false,
        customSynopsis = "lapidary compare [-m MODEL] [--against MODEL] (-f FILE | --ids ID,ID...) [OPTIONS]",
        description =
                "How far a model's predictions of a text are from those of a reference: what a weight format costs.",
        footer = {
            "",
            "--model and --weights say what is judged, --against and --against-weights the reference, by default",
            "the same checkpoint as it is stored; its keys and values are F32. Printed are the perplexity of both, and"
                    + " the model's divided by",
            "the reference's; the Kullback-Leibler divergence in nats, of each token the sum over the vocabulary",
            "of p * log(p / q), p being the reference's probability and q the model's (as llama.cpp's",
            "--kl-divergence with the reference for its base): mean, 99th percentile, largest; and the share of",
            "tokens for which both expect the same one most. Both models are open at once.",
            "",
            "Examples:",
            "  lapidary compare --model gemma-3-1b-pt --weights q4_0 --file book.txt --window 512",
            "  lapidary compare --model q4_0.gguf --against gemma-3-1b-pt -f book.txt --window 2048 --stride 1024"
        })
final class CompareCommand implements Callable<Integer> {
    private static final double HIGH = 0.99;

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--against",
            paramLabel = "MODEL",
            description = "The reference, named as --model. Default: the same checkpoint.")
    private @Nullable String against;

    @Option(
            names = "--against-weights",
            paramLabel = "FORMAT",
            description = "How the reference holds its layers' weights. Default: as stored.")
    private @Nullable WeightFormat againstWeights;

    @Option(
            names = "--against-head-weights",
            paramLabel = "FORMAT",
            description = "The same for the matrix of its logits.")
    private @Nullable WeightFormat againstHeadWeights;

    @Option(
            names = "--against-compute",
            paramLabel = "f32|fast",
            description = "How the reference computes. Default: as --compute says.")
    private @Nullable Compute againstCompute;

    @Mixin
    private TextOptions source = new TextOptions();

    @Option(names = "--json", description = "Prints one object with every number, memory plans included.")
    private boolean json;

    CompareCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        try (PredictedText text = source.open(console)) {
            return console.work(() -> {
                try (Gemma gemma = model.open(console);
                        Gemma reference = openReference();
                        Predictions predictions = new Predictions(gemma, reference, text)) {
                    text.predict("Compare", predictions, gemma, reference);
                    print(predictions);
                    return Failures.OK;
                }
            });
        }
    }

    private Gemma openReference() throws Exception {
        Options options = model.options()
                .withWeights(againstWeights)
                .withHeadWeights(againstHeadWeights)
                .withKvCache(CacheFormat.F32);
        return ModelOptions.open(
                console,
                against == null ? model.name() : against,
                againstCompute == null ? options : options.withCompute(againstCompute));
    }

    private void print(Predictions predictions) {
        Comparison comparison = predictions.comparison();
        if (json) {
            Json.print(console, json(predictions));
            return;
        }
        line("tokens                     %d", comparison.tokens());
        line("perplexity                 %.4f", comparison.perplexity());
        line("perplexity, reference      %.4f", comparison.referencePerplexity());
        line("ratio                      %.6f", comparison.perplexityRatio());
        line("KL divergence, mean        %.6f", comparison.meanDivergence());
        line("KL divergence, 99 %%        %.6f", comparison.divergence(HIGH));
        line("KL divergence, largest     %.6f", comparison.divergence(1));
        line("same token expected most   %.2f %%", comparison.agreement() * 100);
    }

    @SuppressWarnings("AnnotateFormatMethod") // that annotation is not worth a dependency
    private void line(String format, Object value) {
        console.out().println(Amounts.text(format, value));
    }

    private JsonObject json(Predictions predictions) {
        Comparison comparison = predictions.comparison();
        JsonObject object = new JsonObject();
        object.addProperty("tokens", comparison.tokens());
        if (source.window() != null) {
            object.addProperty("window", source.window());
            object.addProperty("stride", source.stride());
        }
        Json.addNumber(object, "perplexity", comparison.perplexity());
        Json.addNumber(object, "reference_perplexity", comparison.referencePerplexity());
        Json.addNumber(object, "perplexity_ratio", comparison.perplexityRatio());
        Json.addNumber(object, "kl_divergence_mean", comparison.meanDivergence());
        Json.addNumber(object, "kl_divergence_p99", comparison.divergence(HIGH));
        Json.addNumber(object, "kl_divergence_max", comparison.divergence(1));
        Json.addNumber(object, "top1_agreement", comparison.agreement());
        object.add("memory", DescriptionJson.memory(predictions.longest, predictions.plan));
        object.add("reference_memory", DescriptionJson.memory(predictions.longest, predictions.referencePlan));
        return object;
    }

    /// Both models on window after window.
    private final class Predictions implements PredictedText.Predictor, AutoCloseable {
        private final Gemma gemma;
        private final Gemma reference;
        private final PredictedText text;
        private MemoryPlan plan = new MemoryPlan(0, 0, 0, 0);
        private MemoryPlan referencePlan = plan;
        private int longest;
        private @Nullable Comparison comparison;

        Predictions(Gemma gemma, Gemma reference, PredictedText text) {
            this.gemma = gemma;
            this.reference = reference;
            this.text = text;
        }

        @Override
        public void begin(int tokens) {
            longest = tokens;
            Capacity capacity = Capacity.tokens(tokens);
            comparison = Comparison.of(gemma, reference, capacity);
            plan = gemma.memoryPlan(capacity);
            referencePlan = reference.memoryPlan(capacity);
            if (!json) {
                console.note("model: %s; reference: %s".formatted(plan, referencePlan));
            }
        }

        @Override
        public void predict(Windows.Window window) {
            comparison().add(window, done -> text.show(done, window));
        }

        Comparison comparison() {
            return Objects.requireNonNull(comparison);
        }

        @Override
        public void close() {
            if (comparison != null) {
                comparison.close();
            }
        }
    }
}
