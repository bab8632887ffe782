package dev.lapidary.cli;

import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.Session;
import dev.lapidary.SoftTokens;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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

    @Mixin
    private EncoderOptions encoder = new EncoderOptions();

    @Mixin
    private ImageOptions images = new ImageOptions();

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

    @Option(
            names = "--soft-tokens-out",
            paramLabel = "FILE",
            description = "Writes what the model sees of the images to another file, tensor \"image_soft_tokens\", F32"
                    + " [images, tokens, embedding].")
    private @Nullable Path softTokensOut;

    LogitsCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if (softTokensOut != null && !images.given()) {
            throw new IllegalArgumentException("--soft-tokens-out: got no images, need --pixels");
        }
        if (oneByOne && images.given()) {
            throw new IllegalArgumentException(
                    "--one-by-one: got --pixels, need text alone: an image is computed at once (--chunk 1 computes the"
                            + " text around it one by one)");
        }
        Prompt given = encoder.prompt(prompt, console);
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                int[] ids = given.ids(gemma);
                if (oneByOne && gemma.hasBidirectionalPrompt()) {
                    throw new IllegalArgumentException(
                            "--one-by-one: got a model whose prompt sees itself, need one that reads forward");
                }
                SoftTokens soft = images.softTokens(gemma);
                if (soft != null && softTokensOut != null) {
                    write(softTokensOut, soft);
                }
                write(gemma, soft, ids);
                console.note("%s: logits F32 [%d, %d]".formatted(out, ids.length, gemma.vocab()));
                return Failures.OK;
            }
        });
    }

    private static void write(Path file, SoftTokens soft) throws IOException {
        List<Long> shape = List.of((long) soft.images(), (long) soft.tokensPerImage(), (long) soft.embedding());
        TensorSpec tensor = new TensorSpec("image_soft_tokens", DataType.F32, shape);
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, List.of(tensor))) {
            write(writer, soft.values());
            writer.finish();
        }
    }

    private void write(Gemma gemma, @Nullable SoftTokens soft, int... ids) throws IOException {
        int piece =
                Prefill.piece(gemma, ids.length, oneByOne ? 1 : model.options().chunk());
        TensorSpec tensor = new TensorSpec("logits", DataType.F32, List.of((long) ids.length, (long) gemma.vocab()));
        try (Session session = gemma.newSession(Capacity.tokens(ids.length));
                SafetensorsWriter writer = SafetensorsWriter.create(out, List.of(tensor));
                Progress progress = Progress.of(console, "Logits", " tokens", ids.length)) {
            encoder.encode(gemma, session, false);
            if (soft == null) {
                Prefill.append(progress, session, ids, piece, (_, logits) -> write(writer, logits));
            } else {
                session.append(ids, soft, (_, logits) -> {
                    write(writer, logits);
                    progress.step(1);
                });
            }
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
