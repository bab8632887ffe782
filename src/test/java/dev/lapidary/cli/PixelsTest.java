package dev.lapidary.cli;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.SafetensorsFile;
import dev.lapidary.checkpoint.Tensor;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// `--pixels` and `--soft-tokens-out`, on the reference's own pixels.
class PixelsTest {
    @TempDir
    private Path folder = Path.of("");

    @ParameterizedTest
    @ValueSource(strings = {"gemma3-mm", "gemma3-mm-2img", "paligemma"})
    void logitsAndSoftTokensAreTheReferences(String name) throws IOException {
        Golden golden = Golden.of(name);
        Path logits = folder.resolve("logits.safetensors");
        Path soft = folder.resolve("soft.safetensors");
        Run run =
                Run.of(with(List.of("logits", "-o", logits.toString(), "--soft-tokens-out", soft.toString()), golden));
        assertThat(run.code()).as(run.err()).isZero();
        assertClose(golden, "logits", logits);
        assertClose(golden, "image_soft_tokens", soft);
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma3-mm", "gemma3-mm-2img", "paligemma", "paligemma2"})
    void theGreedyContinuationIsTheReferences(String name) {
        Golden golden = Golden.of(name);
        String count = Integer.toString(golden.continuation().length);
        Run run = Run.of(with(
                List.of("generate", "--temperature", "0", "--ignore-eos", "--json", "--max-tokens", count), golden));
        assertThat(run.ids("ids"))
                .containsExactlyElementsOf(
                        IntStream.of(golden.continuation()).boxed().toList());
    }

    @Test
    void whatDoesNotFitIsRefused() {
        Golden golden = Golden.of("gemma3-mm");
        String out = folder.resolve("x.safetensors").toString();
        assertRefused(
                "ids: got 0 image tokens (id 262), need 9 for each of 1 images",
                "logits",
                "-m",
                golden.folder().toString(),
                "--ids",
                "2,5",
                "--pixels",
                pixels(golden),
                "-o",
                out);
        assertRefused(
                "ids: got a run of 1 image tokens at 1, need 9, those of an image",
                "logits",
                "-m",
                golden.folder().toString(),
                "--ids",
                "2,262,5",
                "--pixels",
                pixels(golden),
                "-o",
                out);
        assertRefused(
                "pixels: got [1, 3, 32, 32], need [images, 3, 48, 48]",
                "logits",
                "-m",
                golden.folder().toString(),
                "--ids",
                "2,5",
                "--pixels",
                pixels(Golden.of("paligemma")),
                "-o",
                out);
        assertRefused(
                "tensor pixel_values is missing, need it as F32 [images, 3, height, width]",
                "logits",
                "-m",
                golden.folder().toString(),
                "--ids",
                "2,5",
                "--pixels",
                golden.folder().resolve("model.safetensors").toString(),
                "-o",
                out);
        assertRefused(
                "got images, need a checkpoint with a vision tower of Gemma 3 or PaliGemma",
                "logits",
                "-m",
                Golden.of("gemma2").folder().toString(),
                "--ids",
                "2,5",
                "--pixels",
                pixels(golden),
                "-o",
                out);
        assertThat(Files.exists(Path.of(out))).isFalse();
    }

    @Test
    void inspectShowsTheTower() {
        Run run = Run.of("inspect", "-m", Golden.of("gemma3-mm").folder().toString());
        assertThat(run.out())
                .contains("(vision)")
                .contains("(patchEmbedding): BF16 [48, 192]")
                .contains("vision ");
    }

    private static void assertRefused(String message, String... arguments) {
        Run run = Run.of(arguments);
        assertThat(run.code()).isNotZero();
        assertThat(run.err()).contains(message);
    }

    private static String[] with(List<String> command, Golden golden) {
        String ids = Arrays.stream(golden.prompt()).mapToObj(Integer::toString).collect(Collectors.joining(","));
        List<String> all = new ArrayList<>(command);
        all.addAll(List.of(
                "-m", golden.folder().toString(), "--ids", ids, "--pixels", pixels(golden), "--compute", "f32"));
        return all.toArray(String[]::new);
    }

    private static String pixels(Golden golden) {
        return golden.folder().resolve("golden.safetensors").toString();
    }

    private static void assertClose(Golden golden, String name, Path file) throws IOException {
        try (Arena arena = Arena.ofConfined()) {
            Matrix expected = golden.tensor(name, arena);
            Tensor got = SafetensorsFile.map(file, arena).tensors().get(name);
            assertThat(got).isNotNull();
            float[] values = got.data().toArray(ValueLayout.JAVA_FLOAT);
            assertThat(values).hasSize(expected.rows() * expected.cols());
            double largest = 0;
            double worst = 0;
            for (int i = 0; i < values.length; i++) {
                double want = get(expected, i / expected.cols(), i % expected.cols());
                largest = Math.max(largest, Math.abs(want));
                worst = Math.max(worst, Math.abs(values[i] - want));
            }
            assertThat(worst / largest).isLessThan(Golden.F32_TOLERANCE);
        }
    }
}
