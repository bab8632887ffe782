package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A model in GGUF's blocks computes what the same values in F32 compute.
class BlockModelTest {
    static final List<String> BACKENDS = TestBackends.all();

    private static final int[] IDS = new Random(3).ints(40, 0, BlockModel.VOCAB).toArray();

    @TempDir
    private Path folder = Path.of("");

    /// Measured 3e-7 of the largest logit: sums of other orders.
    @ParameterizedTest
    @FieldSource("BACKENDS")
    void promptAtOnce(String backend) throws IOException {
        Options options = Options.defaults().withBackend(backend).withCompute(Compute.F32);
        assertThat(worstDifference(options)).isLessThan(1e-5);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void chunkByChunk(int chunk) throws IOException {
        Options options = Options.defaults().withCompute(Compute.F32).withChunk(chunk);
        assertThat(worstDifference(options)).isLessThan(1e-5);
    }

    /// Inputs of Q8_0 and Q4_0 are rounded to int8 by blocks: measured 4e-3.
    @Test
    void theFastPathStaysWithinItsBound() throws IOException {
        assertThat(worstDifference(Options.defaults())).isLessThan(2e-2);
    }

    @Test
    void formatsAreTheFilesOwn() throws IOException {
        try (Gemma gemma = Gemma.open(new BlockModel().write(folder.resolve("m.gguf")))) {
            assertThat(gemma.model().headWeights().format()).isEqualTo("Q6_K");
            assertThat(gemma.model().moduleTree().toString())
                    .contains("Q2_K [", "Q3_K [", "Q4_K [", "Q5_K [", "IQ4_NL [", "Q4_1 [", "Q5_0 [", "Q5_1 [");
            // Two matrices in Q8_0 and one in Q4_0 have panels; Q4_0 queries beside Q4_1 keys stay as they are
            assertThat(gemma.model().convertedBytes()).isEqualTo(256 * (256 / 32) * (2 * 34 + 18));
        }
    }

    private double worstDifference(Options options) throws IOException {
        BlockModel model = new BlockModel();
        float[][] expected = logits(model.writeWide(folder.resolve("wide.gguf")), options.withCompute(Compute.F32));
        float[][] got = logits(model.write(folder.resolve("m.gguf")), options);
        double largest = 0;
        double worst = 0;
        for (int row = 0; row < expected.length; row++) {
            for (int id = 0; id < expected[row].length; id++) {
                double difference = Math.abs(got[row][id] - expected[row][id]);
                largest = Math.max(largest, Math.abs(expected[row][id]));
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
            }
        }
        return worst / largest;
    }

    private static float[][] logits(Path file, Options options) throws IOException {
        float[][] rows = new float[IDS.length][];
        try (Gemma gemma = Gemma.open(file, options);
                Session session = gemma.newSession(Capacity.tokens(64))) {
            session.append(IDS, (position, logits) -> rows[position] = logits.clone());
        }
        return rows;
    }
}
