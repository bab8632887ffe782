package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.EmbeddingConsumer;
import dev.lapidary.EmbeddingOptions;
import dev.lapidary.Gemma;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary embed`.
@Command(
        name = "embed",
        sortOptions = false,
        customSynopsis =
                "lapidary embed -m MODEL (--text TEXT | -f FILE | --ids ID,ID...) [--json | -o FILE] [OPTIONS]",
        description =
                "Vectors of texts by an embedding model such as EmbeddingGemma: one text a line, its numbers apart by"
                        + " spaces, in the order of the texts.",
        footer = {
            "",
            "A text that the model cannot read as a whole is refused; --truncate cuts its end off.",
            "",
            "Examples:",
            "  lapidary embed --model embeddinggemma-300m --prompt-name query --text \"Why is the sky blue?\"",
            "  lapidary embed --model embeddinggemma-300m --prompt-name document --file lines.txt \\",
            "    --dimensions 256 --out embeddings.safetensors"
        })
final class EmbedCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(names = "--text", paramLabel = "TEXT", description = "A text. May be given several times.")
    private List<String> texts = new ArrayList<>();

    @Option(
            names = {"-f", "--file"},
            paramLabel = "FILE",
            description = "One text on each line; - for standard input.")
    private @Nullable String file;

    @Option(
            names = "--ids",
            paramLabel = "ID,ID...",
            description = "A text as token ids, taken exactly as given: no prompt, bos or eos is added. May be given"
                    + " several times.")
    private List<String> ids = new ArrayList<>();

    @Option(
            names = "--prompt-name",
            paramLabel = "NAME",
            defaultValue = "",
            description = "Puts the model's prompt of that name in front of each text: query, document, and others that"
                    + " inspect shows.")
    private String promptName = "";

    @Option(
            names = "--dimensions",
            paramLabel = "N",
            defaultValue = "0",
            description = "Takes the first N numbers of each vector and makes them of length 1 again. Default: all.")
    private int dimensions;

    @Option(names = "--truncate", description = "Cuts off the end of texts that are longer than the model reads.")
    private boolean truncate;

    @Option(names = "--json", description = "Prints one object: dimensions, embeddings.")
    private boolean json;

    @Option(
            names = {"-o", "--out"},
            paramLabel = "FILE.safetensors",
            description =
                    "Writes a safetensors file instead, tensor \"embeddings\", F32 [texts, dimensions]; it appears"
                            + " once it is complete.")
    private @Nullable Path out;

    EmbedCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        requireOneSource();
        EmbeddingOptions options = EmbeddingOptions.defaults()
                .withPrompt(promptName)
                .withDimensions(dimensions)
                .withTruncation(truncate);
        if (file != null) {
            texts = console.text(file).lines().toList();
            if (texts.isEmpty()) {
                throw new IllegalArgumentException("--file: got no line, need one for each text");
            }
        }
        List<int[]> tokens =
                ids.stream().map(each -> TokenIds.parse("--ids", each)).toList();
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                embed(gemma, options, tokens);
                return Failures.OK;
            }
        });
    }

    private void requireOneSource() {
        List<String> given = Stream.of(
                        texts.isEmpty() ? "" : "--text", file == null ? "" : "--file", ids.isEmpty() ? "" : "--ids")
                .filter(option -> !option.isEmpty())
                .toList();
        if (given.size() != 1) {
            throw new IllegalArgumentException("texts: got %s, need one of --text, --file and --ids"
                    .formatted(given.isEmpty() ? "none" : String.join(" and ", given)));
        }
        if (!ids.isEmpty() && !promptName.isEmpty()) {
            throw new IllegalArgumentException("--prompt-name: got %s with --ids, need texts".formatted(promptName));
        }
        if (json && out != null) {
            throw new IllegalArgumentException("--json: got it with --out, need one of them");
        }
    }

    private void embed(Gemma gemma, EmbeddingOptions options, List<int[]> tokens) throws IOException {
        int count = Math.max(texts.size(), tokens.size());
        if (out != null) {
            write(gemma, options, tokens, out);
        } else if (json) {
            JsonArray embeddings = new JsonArray(count);
            run(gemma, options, tokens, (_, embedding) -> embeddings.add(array(embedding)));
            JsonObject object = new JsonObject();
            object.addProperty("dimensions", width(gemma));
            object.add("embeddings", embeddings);
            Json.print(console, object);
        } else {
            run(gemma, options, tokens, (_, embedding) -> console.out().println(line(embedding)));
        }
    }

    private void write(Gemma gemma, EmbeddingOptions options, List<int[]> tokens, Path to) throws IOException {
        List<Long> shape = List.of((long) Math.max(texts.size(), tokens.size()), (long) width(gemma));
        TensorSpec tensor = new TensorSpec("embeddings", DataType.F32, shape);
        try (SafetensorsWriter writer = SafetensorsWriter.create(to, List.of(tensor))) {
            run(gemma, options, tokens, (_, embedding) -> write(writer, embedding));
            writer.finish();
        }
        console.note("%s: embeddings F32 %s".formatted(to, shape));
    }

    private void run(Gemma gemma, EmbeddingOptions options, List<int[]> tokens, EmbeddingConsumer consumer) {
        try (Progress progress = Progress.of(console, "Embed", " texts", Math.max(texts.size(), tokens.size()))) {
            EmbeddingConsumer counting = (index, embedding) -> {
                consumer.accept(index, embedding);
                progress.step(1);
            };
            if (tokens.isEmpty()) {
                gemma.embed(texts, options, counting);
            } else {
                gemma.embedIds(tokens, options, counting);
            }
        }
    }

    private int width(Gemma gemma) {
        return dimensions == 0 ? gemma.embeddingDimensions() : dimensions;
    }

    private static void write(SafetensorsWriter writer, float... embedding) {
        try {
            writer.write(MemorySegment.ofArray(embedding));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonArray array(float... embedding) {
        JsonArray array = new JsonArray(embedding.length);
        for (float value : embedding) {
            array.add(value);
        }
        return array;
    }

    private static String line(float... embedding) {
        StringBuilder line = new StringBuilder();
        for (float value : embedding) {
            line.append(line.isEmpty() ? "" : " ").append(value);
        }
        return line.toString();
    }
}
