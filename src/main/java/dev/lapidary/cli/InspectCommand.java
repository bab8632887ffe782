package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.ActivationStatistics;
import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.MemoryPlan;
import dev.lapidary.ModelDescription;
import java.io.PrintStream;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary inspect`.
@Command(
        name = "inspect",
        sortOptions = false,
        customSynopsis = "lapidary inspect [-m MODEL] [--activations (-p TEXT | -f FILE | --ids ID,ID...)] [OPTIONS]",
        description = "What a checkpoint is made of: modules with shapes, parameters and bytes by part, traits of each"
                + " layer, the KV cache, and the memory that a session takes.",
        footer = {
            "",
            "Examples:",
            "  lapidary inspect --model gemma-3-1b-it",
            "  lapidary inspect --model gemma-3-1b-it --capacity 32768 --json",
            "  lapidary inspect --activations --prompt \"In the beginning\""
        })
final class InspectCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private PromptOptions prompt = new PromptOptions();

    @Option(
            names = "--capacity",
            paramLabel = "N",
            description =
                    "Tokens of the session whose memory is planned. Default: the model's positions, at most 8192.")
    private @Nullable Integer capacity;

    @Option(
            names = "--activations",
            description =
                    "Adds mean, standard deviation and fraction of zeros of the activations for a prompt, per layer and"
                            + " stage.")
    private boolean activations;

    @Option(names = "--json", description = "Prints one object.")
    private boolean asJson;

    InspectCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if (!activations && !prompt.given().isEmpty()) {
            throw new IllegalArgumentException("%s: got a prompt, need --activations with it"
                    .formatted(prompt.given().getFirst()));
        }
        Prompt given = activations ? prompt.read(console) : null;
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                show(gemma, given == null ? List.of() : activations(gemma, given));
                return Failures.OK;
            }
        });
    }

    private List<ActivationStatistics> activations(Gemma gemma, Prompt given) throws Exception {
        int[] ids = given.ids(gemma);
        return Progress.during(console, "Activations", () -> gemma.activationStatistics(ids));
    }

    private void show(Gemma gemma, List<ActivationStatistics> statistics) {
        ModelDescription description = gemma.describe();
        int tokens = capacity == null ? Math.min(8192, description.maxPositions()) : capacity;
        MemoryPlan plan = gemma.memoryPlan(Capacity.tokens(tokens));
        if (asJson) {
            JsonObject json = DescriptionJson.of(description, tokens, plan, statistics);
            if (gemma.hasEncoder()) {
                json.addProperty("encoded_bytes_per_token", encodedBytesPerToken(gemma));
            }
            Json.print(console, json);
            return;
        }
        PrintStream out = console.out();
        out.print(ModuleText.of(description));
        section("Parts");
        parts(description);
        section("Layers");
        layers(description);
        if (gemma.embedsTexts()) {
            section("Prompts");
            prompts(description);
        } else {
            section("KV cache");
            kvCache(KvBytes.of(description));
        }
        if (gemma.hasEncoder()) {
            section("Encoded text");
            console.out().println("per token  " + Amounts.bytes(encodedBytesPerToken(gemma)));
        }
        section(gemma.embedsTexts() ? "Memory" : "Memory for %d tokens".formatted(tokens));
        memory(plan);
        if (!statistics.isEmpty()) {
            section("Activations");
            activations(statistics);
        }
    }

    /// Keys and values in all layers.
    private static long encodedBytesPerToken(Gemma gemma) {
        int many = 1024;
        return gemma.encodedBytes(many) / many;
    }

    private void section(String title) {
        console.out().println();
        console.out().println(title);
    }

    private void parts(ModelDescription description) {
        Table table = new Table("part", "parameters", "stored", "share");
        double all = description.modules().bytes();
        for (ModelPart part : ModelPart.of(description)) {
            table.row(
                    part.name(),
                    Amounts.count(part.parameters()),
                    Amounts.bytes(part.bytes()),
                    Amounts.text("%.1f %%", 100 * part.bytes() / all));
        }
        table.row(
                "all",
                Amounts.count(description.modules().parameters()),
                Amounts.bytes(description.modules().bytes()),
                "");
        table.print(console.out());
    }

    private void layers(ModelDescription description) {
        Table table = new Table(
                "layer",
                "attention",
                "window",
                "heads",
                "kv heads",
                "head dim",
                "neurons",
                "rope theta",
                "rope factor",
                "query scale",
                "softcap",
                "q/k norm",
                "post norms",
                "keys of",
                "experts");
        for (LayerRun run : LayerRun.of(description.layers())) {
            ModelDescription.Layer layer = run.layer();
            table.row(
                    run.name(),
                    layer.attention().toLowerCase(Locale.ROOT) + (layer.bidirectional() ? " both ways" : ""),
                    layer.window() == 0 ? "-" : Integer.toString(layer.window()),
                    Integer.toString(layer.heads()),
                    Integer.toString(layer.kvHeads()),
                    Integer.toString(layer.headDim()),
                    Integer.toString(layer.neurons()),
                    textOrDash("%.0f", layer.ropeTheta()),
                    textOrDash("%s", layer.ropeFactor()),
                    textOrDash("%.6g", layer.queryScale()),
                    layer.softcap() == 0 ? "-" : Amounts.text("%s", layer.softcap()),
                    layer.queryKeyNorm() ? "yes" : "no",
                    layer.postNorms() ? "yes" : "no",
                    layer.keysFrom() < 0 ? "-" : Integer.toString(layer.keysFrom()),
                    layer.experts() == 0
                            ? "-"
                            : "%d of %d x %d".formatted(layer.expertsUsed(), layer.experts(), layer.expertNeurons()));
        }
        table.print(console.out());
        String softcap = description.finalSoftcap() == 0 ? "none" : Amounts.text("%s", description.finalSoftcap());
        console.out()
                .println("vocabulary %d, embedding %d, positions %d, final softcap %s"
                        .formatted(description.vocab(), description.embedding(), description.maxPositions(), softcap));
    }

    private void prompts(ModelDescription description) {
        Table table = new Table("name", "in front of a text");
        description.prompts().forEach((name, prompt) -> table.row(name, "\"%s\"".formatted(prompt)));
        table.print(console.out());
    }

    /// What is 0 does not apply to the layer.
    private static String textOrDash(String format, double value) {
        return value == 0 ? "-" : Amounts.text(format, value);
    }

    private void kvCache(KvBytes bytes) {
        PrintStream out = console.out();
        out.println("per token                        " + Amounts.bytes(bytes.perToken()));
        out.println("per token once windows are full  " + Amounts.bytes(bytes.perTokenBeyondWindows()));
        out.println("all windows                      " + Amounts.bytes(bytes.windows()));
    }

    private void memory(MemoryPlan plan) {
        PrintStream out = console.out();
        if (plan.mappedBytes() > 0) {
            out.println("weights    " + Amounts.bytes(plan.mappedBytes()) + ", mapped");
        }
        if (plan.convertedBytes() > 0) {
            out.println("weights    " + Amounts.bytes(plan.convertedBytes()) + ", converted");
        }
        if (plan.kvCacheBytes() > 0) {
            out.println("KV cache   " + Amounts.bytes(plan.kvCacheBytes()));
        }
        out.println("workspace  " + Amounts.bytes(plan.workspaceBytes()));
        out.println("all        " + Amounts.bytes(plan.totalBytes()));
    }

    private void activations(List<ActivationStatistics> statistics) {
        Table table = new Table("layer", "stage", "mean", "deviation", "zeros");
        for (ActivationStatistics one : statistics) {
            table.row(
                    one.layer() < 0 ? "embedding" : Integer.toString(one.layer()),
                    one.stage().name().toLowerCase(Locale.ROOT).replace('_', ' '),
                    Amounts.text("%.5f", one.mean()),
                    Amounts.text("%.5f", one.standardDeviation()),
                    Amounts.text("%.2f %%", 100 * one.zeroFraction()));
        }
        table.print(console.out());
    }
}
