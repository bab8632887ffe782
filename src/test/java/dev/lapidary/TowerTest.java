package dev.lapidary;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A vision tower's weights in other formats, and its speed.
class TowerTest {
    @TempDir
    private Path folder;

    /// Of the tiny tower only the patches' matrix, 192 columns wide, has whole blocks; all the others, 48 or 80 wide,
    /// stay as stored.
    @Test
    void weightsAreConvertedWhereTheyHaveWholeBlocks() throws IOException {
        try (Gemma stored = open(null);
                Gemma blocks = open(WeightFormat.Q4_0);
                Gemma wide = open(WeightFormat.F32)) {
            assertThat(shape(stored, "patchEmbedding")).isEqualTo("BF16 [48, 192]");
            assertThat(shape(blocks, "patchEmbedding")).isEqualTo("Q8_0 [48, 192]");
            assertThat(shape(blocks, "projector")).isEqualTo("BF16 [64, 48]");
            assertThat(shape(wide, "patchEmbedding")).isEqualTo("F32 [48, 192]");
            assertThat(shape(wide, "projector")).isEqualTo("F32 [64, 48]");
            assertThat(error(stored)).isLessThan(Golden.F32_TOLERANCE);
            assertThat(error(wide)).isLessThan(Golden.F32_TOLERANCE);
            assertThat(error(blocks)).isBetween(Golden.F32_TOLERANCE / 10, 0.05);
            Capacity capacity = Capacity.tokens(16);
            assertThat(stored.memoryPlan(capacity).convertedBytes()).isZero();
            for (Gemma gemma : new Gemma[] {blocks, wide}) {
                assertThat(gemma.memoryPlan(capacity).weightsBytes())
                        .isEqualTo(gemma.describe().modules().bytes());
                assertThat(gemma.memoryPlan(capacity).convertedBytes()).isPositive();
            }
        }
    }

    @Test
    void anImageIsTimed() throws IOException {
        try (Gemma gemma = open(null);
                Benchmark benchmark = Benchmark.of(gemma)) {
            Workload image = Workload.image(gemma.tokensPerImage());
            assertThat(image.name()).isEqualTo("image of 9");
            assertThat(benchmark.seconds(image, 1, 2, () -> {})).hasSize(2).doesNotContain(0);
            double layer = 36 * (4 * 48 * 48 + 2 * 48 * 80) + 2 * 36 * 36 * 48;
            assertThat(benchmark.work(image).operations()).isEqualTo(2 * (36 * 48 * 192 + 2 * layer + 9 * 48 * 64));
            assertThat(benchmark.work(image).bytes())
                    .isEqualTo((double) part(gemma, "vision").bytes());
            assertThat(benchmark.profile(image, 0, 1).parts())
                    .anySatisfy(part -> assertThat(part.operation()).isEqualTo("project"));
        }
        try (Gemma blind = TinyModel.open(folder);
                Benchmark benchmark = Benchmark.of(blind)) {
            assertThat(blind.tokensPerImage()).isZero();
            assertThatThrownBy(() -> benchmark.seconds(Workload.image(9), 0, 1, () -> {}))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("need a checkpoint with a vision tower");
        }
    }

    private static Gemma open(WeightFormat weights) throws IOException {
        Options options =
                Options.defaults().withCompute(Compute.F32).withThreads(2).withWeights(weights);
        return Gemma.open(Golden.of("gemma3-mm").folder(), options);
    }

    private static double error(Gemma gemma) {
        Golden golden = Golden.of("gemma3-mm");
        try (Arena arena = Arena.ofConfined()) {
            Matrix expected = golden.tensor("image_soft_tokens", arena);
            float[] got =
                    gemma.softTokens(VisionGoldenTest.pixels(golden, arena)).values();
            double worst = 0;
            double largest = 0;
            for (int i = 0; i < got.length; i++) {
                double want = get(expected, i / expected.cols(), i % expected.cols());
                worst = Math.max(worst, Math.abs(got[i] - want));
                largest = Math.max(largest, Math.abs(want));
            }
            return worst / largest;
        }
    }

    private static String shape(Gemma gemma, String module) {
        return part(gemma, "vision").children().stream()
                .filter(child -> child.name().equals(module))
                .findFirst()
                .orElseThrow()
                .shape();
    }

    private static ModelDescription.Part part(Gemma gemma, String name) {
        return gemma.describe().modules().children().stream()
                .filter(child -> child.name().equals(name))
                .findFirst()
                .orElseThrow();
    }
}
