package dev.lapidary.cli;

import dev.lapidary.hub.ModelName;
import dev.lapidary.hub.Selection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `lapidary pull`.
@Command(
        name = "pull",
        sortOptions = false,
        customSynopsis = "lapidary pull ORG/NAME[@revision] [--include GLOB]...",
        description =
                "Downloads a model from the Hugging Face hub into the cache that other programs use too, and prints its"
                        + " folder. What is there is not downloaded again; what was interrupted is gone on with.",
        footer = {
            "",
            "Environment: HF_TOKEN (for gated and private models), HF_HOME or HF_HUB_CACHE (where the cache is),",
            "HF_ENDPOINT (a mirror), HF_HUB_OFFLINE=1 (only what is in the cache).",
            "",
            "Examples:",
            "  lapidary pull google/gemma-3-1b-it",
            "  lapidary pull google/gemma-3-1b-it-qat-q4_0-gguf --include '*.gguf'"
        })
final class PullCommand implements Callable<Integer> {
    private final Console console;

    @Parameters(paramLabel = "ORG/NAME[@revision]", description = "The model. Default revision: main.")
    private String model = "";

    @Option(
            names = "--include",
            paramLabel = "GLOB",
            description =
                    "Files to download, several times for several patterns. Default: configuration, tokenizer, chat"
                            + " template and the weights in safetensors.")
    private List<String> include = new ArrayList<>();

    PullCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        ModelName name = ModelName.parse(model);
        Selection wanted = include.isEmpty() ? Selection.model() : Selection.matching(include);
        return console.work(() -> {
            console.out().println(HubModels.pull(console, name, wanted).folder());
            return Failures.OK;
        });
    }
}
