package dev.lapidary.cli;

import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.Session;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary logits`.
@Command(
        name = "logits",
        sortOptions = false,
        customSynopsis =
                "lapidary logits [-m MODEL] (-p TEXT | -f FILE | --ids ID,ID...) -o FILE.safetensors [OPTIONS]",
        description =
                "Writes the logits after every token of a prompt to a safetensors file, tensor \"logits\", F32 [seq,"
                        + " vocab]: for comparing with other engines.",
        footer = {
            "",
            "Examples:",
            "  lapidary logits --model gemma-3-1b-it --prompt \"In the beginning\" --out logits.safetensors",
            "  lapidary logits --ids 2,17,5 --compute f32 --one-by-one --out decode.safetensors"
        })
final class LogitsCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Mixin
    private PromptOptions prompt = new PromptOptions();

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FILE",
            required = true,
            description = "Where to write; the file appears once it is complete.")
    private Path out = Path.of("");

    @Option(
            names = "--one-by-one",
            description = "Computes one token at a time, as when generating, instead of many at once.")
    private boolean oneByOne;

    LogitsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Prompt given = prompt.read(console);
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                int[] ids = given.ids(gemma);
                write(gemma, ids);
                console.note("%s: logits F32 [%d, %d]".formatted(out, ids.length, gemma.vocab()));
                return Failures.OK;
            }
        });
    }

    private void write(Gemma gemma, int... ids) throws IOException {
        int piece = oneByOne ? 1 : model.options().chunk();
        TensorSpec tensor = new TensorSpec("logits", DataType.F32, List.of((long) ids.length, (long) gemma.vocab()));
        try (Session session = gemma.newSession(Capacity.tokens(ids.length));
                SafetensorsWriter writer = SafetensorsWriter.create(out, List.of(tensor));
                Progress progress = Progress.of(console, "Logits", " tokens", ids.length)) {
            Prefill.append(progress, session, ids, piece, (_, logits) -> write(writer, logits));
            writer.finish();
        }
    }

    private static void write(SafetensorsWriter writer, float... row) {
        try {
            writer.write(MemorySegment.ofArray(row));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
