package dev.lapidary;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.SafetensorsWriter;
import dev.lapidary.checkpoint.TensorSpec;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Prompts with images against the official code's results, on every backend.
class VisionGoldenTest {
    private static final List<String> CASES = List.of("gemma3-mm", "gemma3-mm-2img", "paligemma", "paligemma2");

    static Stream<Arguments> casesOnBackends() {
        return TestBackends.all().stream().flatMap(backend -> CASES.stream().map(name -> Arguments.of(backend, name)));
    }

    @ParameterizedTest
    @MethodSource("casesOnBackends")
    void softTokensAgreeWithTheReference(String backend, String name) throws IOException {
        try (Arena arena = Arena.ofConfined();
                Gemma gemma = open(backend, name, 512)) {
            SoftTokens got = gemma.softTokens(pixels(Golden.of(name), arena));
            Matrix expected = Golden.of(name).tensor("image_soft_tokens", arena);
            assertThat(got.values()).hasSize(expected.rows() * expected.cols());
            double largest = largest(expected);
            for (int i = 0; i < got.values().length; i++) {
                assertThat((float) (got.values()[i] / largest))
                        .isCloseTo(
                                (float) (get(expected, i / expected.cols(), i % expected.cols()) / largest),
                                offset((float) Golden.F32_TOLERANCE));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("casesOnBackends")
    void logitsAndGreedyContinuationAreTheReferences(String backend, String name) throws IOException {
        assertAgrees(backend, name, 512);
    }

    /// Chunks that end within an image are cut before it or grow to its end.
    @ParameterizedTest
    @MethodSource("casesOnBackends")
    void smallChunksDoNotCutAnImage(String backend, String name) throws IOException {
        assertAgrees(backend, name, 11);
        if (name.startsWith("gemma3")) {
            assertAgrees(backend, name, 1);
        }
    }

    @ParameterizedTest
    @MethodSource("casesOnBackends")
    void aRewindComputesTheSameAgain(String backend, String name) throws IOException {
        Golden golden = Golden.of(name);
        int length = golden.prompt().length;
        try (Arena arena = Arena.ofConfined();
                Gemma gemma = open(backend, name, 11);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            session.append(golden.prompt(), gemma.softTokens(pixels(golden, arena)));
            try (Session fork = session.fork()) {
                session.generate(Sampling.greedy().ignoreStopTokens(true).maxTokens(9));
                session.rewind(length);
                for (Session each : List.of(session, fork)) {
                    Sampling greedy = Sampling.greedy().ignoreStopTokens(true).maxTokens(golden.continuation().length);
                    assertThat(each.generate(greedy).ids()).containsExactly(golden.continuation());
                }
            }
        }
    }

    /// Gemma 3 under another name, its tensors one level further in.
    @Test
    void shieldGemma2IsGemma3(@TempDir Path folder) throws IOException {
        Golden golden = Golden.of("gemma3-mm");
        String config = Files.readString(golden.folder().resolve("config.json"));
        Files.writeString(
                folder.resolve("config.json"),
                config.replaceFirst(
                        "\"model_type\": *\"gemma3\"",
                        "\"model_type\":\"shieldgemma2\",\"yes_token_index\":10784,\"no_token_index\":3771"));
        try (Arena arena = Arena.ofConfined()) {
            var tensors = SafetensorsFile.map(golden.folder().resolve("model.safetensors"), arena)
                    .tensors();
            List<TensorSpec> specs = tensors.entrySet().stream()
                    .map(each -> new TensorSpec(
                            "model." + each.getKey(),
                            DataType.valueOf(each.getValue().storedType()),
                            each.getValue().shape()))
                    .toList();
            assertThat(specs).anyMatch(spec -> spec.name().startsWith("model.language_model.model."));
            try (var writer = SafetensorsWriter.create(folder.resolve("model.safetensors"), specs)) {
                for (var tensor : tensors.values()) {
                    writer.write(tensor.data());
                }
                writer.finish();
            }
            try (Gemma gemma3 = open("onednn", "gemma3-mm", 64);
                    Gemma shield = Gemma.open(
                            folder, Options.defaults().withCompute(Compute.F32).withThreads(2))) {
                Pixels pixels = pixels(golden, arena);
                assertThat(shield.softTokens(pixels).values())
                        .containsExactly(gemma3.softTokens(pixels).values());
                try (Session session = shield.newSession(Capacity.tokens(128))) {
                    session.append(golden.prompt(), shield.softTokens(pixels));
                    Sampling greedy = Sampling.greedy().ignoreStopTokens(true).maxTokens(golden.continuation().length);
                    assertThat(session.generate(greedy).ids()).containsExactly(golden.continuation());
                }
            }
        }
    }

    private static void assertAgrees(String backend, String name, int chunk) throws IOException {
        Golden golden = Golden.of(name);
        // What the config says, where newer references leave the softcap out.
        String suffix = name.equals("paligemma2") ? "_softcapped" : "";
        try (Arena arena = Arena.ofConfined();
                Gemma gemma = open(backend, name, chunk);
                Session session = gemma.newSession(Capacity.tokens(128))) {
            Matrix logits = golden.tensor("logits" + suffix, arena);
            Matrix decodeLogits = golden.tensor("decode_logits" + suffix, arena);
            double bound = Golden.F32_TOLERANCE * largest(logits);
            int[] seen = {0};
            SoftTokens images = gemma.softTokens(pixels(golden, arena));
            session.append(golden.prompt(), images, (position, got) -> {
                assertThat(difference(logits, position, got)).isLessThan(bound);
                seen[0]++;
            });
            assertThat(seen[0]).isEqualTo(golden.prompt().length);
            for (int i = 0; i < golden.continuation().length; i++) {
                assertThat(difference(decodeLogits, i, session.logits())).isLessThan(bound);
                assertThat(session.next(Sampling.greedy()).id()).isEqualTo(golden.continuation()[i]);
            }
        }
    }

    static Gemma open(String backend, String name, int chunk) throws IOException {
        Options options = Options.defaults()
                .withBackend(backend)
                .withCompute(Compute.F32)
                .withThreads(2)
                .withChunk(chunk);
        return Gemma.open(Golden.of(name).folder(), options);
    }

    /// The case's normalised images.
    static Pixels pixels(Golden golden, Arena arena) {
        Matrix stored = golden.tensor("pixel_values", arena);
        int side = stored.cols();
        float[] values = stored.data().toArray(ValueLayout.JAVA_FLOAT);
        return new Pixels(values.length / (3 * side * side), side, side, values);
    }

    private static double difference(Matrix expected, int row, float... got) {
        double worst = 0;
        for (int id = 0; id < got.length; id++) {
            double difference = Math.abs(got[id] - get(expected, row, id));
            worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
        }
        return worst;
    }

    private static double largest(Matrix matrix) {
        double largest = 0;
        for (int row = 0; row < matrix.rows(); row++) {
            for (int col = 0; col < matrix.cols(); col++) {
                largest = Math.max(largest, Math.abs(get(matrix, row, col)));
            }
        }
        return largest;
    }
}
