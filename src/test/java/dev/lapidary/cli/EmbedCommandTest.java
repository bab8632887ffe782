package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.DataType;
import dev.lapidary.model.EmbeddingGolden;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class EmbedCommandTest {
    private static final EmbeddingGolden GOLDEN = EmbeddingGolden.official();

    @TempDir
    private Path folder;

    @Test
    void theFileHoldsTheReferencesEmbeddings() throws IOException {
        Path file = folder.resolve("embeddings.safetensors");
        Run run = run("--out", file.toString());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(file + ": embeddings F32 [3, 64]");
        try (Arena arena = Arena.ofConfined()) {
            Tensor tensor = Objects.requireNonNull(
                    SafetensorsFile.map(file, arena).tensors().get("embeddings"));
            assertThat(tensor.type()).isEqualTo(DataType.F32);
            assertThat(tensor.shape()).containsExactly(3L, 64L);
            List<float[]> rows = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                rows.add(tensor.data().asSlice(i * 256L, 256).toArray(ValueLayout.JAVA_FLOAT));
            }
            assertThat(GOLDEN.difference(rows)).isLessThan(Golden.F32_TOLERANCE);
        }
    }

    @Test
    void linesAndJsonHoldTheSameNumbers() {
        List<float[]> lines = run().out()
                .lines()
                .map(line -> floats(Arrays.stream(line.split(" ", -1)).map(Float::parseFloat)))
                .toList();
        assertThat(GOLDEN.difference(lines)).isLessThan(Golden.F32_TOLERANCE);
        JsonObject json = run("--json").json();
        assertThat(json.get("dimensions").getAsInt()).isEqualTo(64);
        JsonArray embeddings = json.getAsJsonArray("embeddings");
        assertThat(embeddings).hasSize(3);
        for (int i = 0; i < 3; i++) {
            assertThat(floats(
                            embeddings.get(i).getAsJsonArray().asList().stream().map(JsonElement::getAsFloat)))
                    .containsExactly(lines.get(i));
        }
    }

    @Test
    void dimensionsCutEveryEmbedding() {
        JsonObject json = run("--dimensions", "5", "--json").json();
        assertThat(json.get("dimensions").getAsInt()).isEqualTo(5);
        assertThat(json.getAsJsonArray("embeddings"))
                .allMatch(embedding -> embedding.getAsJsonArray().size() == 5);
        Run more = run("--dimensions", "65");
        assertThat(more.code()).isEqualTo(Failures.USAGE);
        assertThat(more.err()).contains("dimensions: got 65, need at most the 64 of the model");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        --json                              | texts: got none, need one of --text, --file and --ids
        --ids 2 --text a                    | texts: got --text and --ids, need one of --text, --file and --ids
        --ids 2 --prompt-name query         | --prompt-name: got query with --ids, need texts
        --ids 2 --json --out x.safetensors  | --json: got it with --out, need one of them
        --file -                            | --file: got no line, need one for each text
        --ids 2 --dimensions -1             | dimensions: got -1, need 1 or more, or 0 for all
        --ids 2,256                         | ids[0]: got 256, need 0 to 255
        """)
    void mistakesAreNamed(String arguments, String message) {
        Run run = Run.of(Stream.concat(
                        Stream.of("embed", "--model", EmbeddingGolden.FOLDER.toString()),
                        Arrays.stream(arguments.split(" ", -1)))
                .toArray(String[]::new));
        assertThat(run.code()).isEqualTo(Failures.USAGE);
        assertThat(run.err()).startsWith("lapidary: " + message);
    }

    @Test
    void nothingIsLeftBehindByAFailure() throws IOException {
        Run run = Run.of(
                "embed",
                "--model",
                EmbeddingGolden.FOLDER.toString(),
                "--ids",
                "2,999",
                "--out",
                folder.resolve("embeddings.safetensors").toString());
        assertThat(run.code()).isEqualTo(Failures.USAGE);
        try (Stream<Path> files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void textsNeedATokenizer() {
        Run run = Run.of("embed", "--model", EmbeddingGolden.FOLDER.toString(), "--text", "a");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err()).contains("got no tokenizer, need tokenizer.model");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"generate --ids 2", "logits --out x --ids 2", "score --ids 2,3", "inspect --activations --ids 2"
            })
    void anEmbeddingModelPredictsNothing(String command) {
        String[] arguments = (command + " --model " + EmbeddingGolden.FOLDER).split(" ", -1);
        Run run = Run.of(arguments);
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err()).contains("got a model that embeds texts, need one that predicts them");
    }

    @Test
    void aModelThatPredictsEmbedsNothing() {
        Run run = Run.of("embed", "--model", Run.DEMO, "--text", "a");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err()).contains("got a model that predicts texts, need one that embeds them");
    }

    @Test
    void anEmbeddingModelIsNotWrittenAnew() {
        Run run = Run.of(
                "quantize",
                EmbeddingGolden.FOLDER.toString(),
                folder.resolve("out.gguf").toString(),
                "--type",
                "q8_0");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err()).contains("got a gemma3_text model for embeddings, need one that generates");
    }

    @Test
    void inspectShowsPoolingAndDenseLayers() {
        Run run = Run.of("inspect", "--model", EmbeddingGolden.FOLDER.toString());
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .contains("local both ways, window 7", "global both ways", "(pooling): mean of all tokens")
                .containsPattern("\\(dense\\): \\(\n    \\(0\\): BF16 \\[128, 64\\]\n    \\(1\\): BF16 \\[64, 128\\]")
                .contains("(normalise): to length 1")
                .doesNotContain("head)", "KV cache");
        JsonObject json = Run.of("inspect", "--json", "--model", EmbeddingGolden.FOLDER.toString())
                .json();
        assertThat(json.getAsJsonArray("layers"))
                .allMatch(layer -> layer.getAsJsonObject().get("bidirectional").getAsBoolean());
        assertThat(json.getAsJsonObject("memory").get("kv_cache_bytes").getAsLong())
                .isZero();
    }

    @Test
    void benchTimesTextsAndDecodesNothing() {
        String model = EmbeddingGolden.FOLDER.toString();
        Run run = Run.of(
                "bench",
                "-m",
                model,
                "--prefill",
                "16,40",
                "--repetitions",
                "1",
                "--warm-up",
                "0",
                "--json",
                "--profile");
        assertThat(run.json().getAsJsonArray("runs").get(0).getAsJsonObject().getAsJsonArray("results"))
                .hasSize(2)
                .allMatch(result ->
                        result.getAsJsonObject().get("median_tokens_per_second").getAsDouble() > 0);
        Run decode = Run.of("bench", "-m", model, "--prefill", "0", "--depth", "4");
        assertThat(decode.code()).isEqualTo(Failures.USAGE);
        assertThat(decode.err()).contains("decode 32 at 4: got a model that embeds texts");
    }

    private static Run run(String... more) {
        List<String> arguments =
                new ArrayList<>(List.of("embed", "--model", EmbeddingGolden.FOLDER.toString(), "--compute", "f32"));
        for (int[] ids : GOLDEN.texts()) {
            arguments.addAll(List.of("--ids", TokenIds.text(ids)));
        }
        arguments.addAll(List.of(more));
        return Run.of(arguments.toArray(String[]::new));
    }

    private static float[] floats(Stream<Float> values) {
        List<Float> list = values.toList();
        float[] floats = new float[list.size()];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = list.get(i);
        }
        return floats;
    }
}
