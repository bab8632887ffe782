package dev.lapidary.model;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RandomWeightsTest {
    private static final String EXTENTS =
            "'vocab_size':300,'hidden_size':48,'intermediate_size':96,'num_hidden_layers':3,'head_dim':16,"
                    + "'num_attention_heads':4,'num_key_value_heads':2";

    @ParameterizedTest
    @ValueSource(strings = {"gemma", "gemma2", "gemma3_text", "recurrent_gemma"})
    void everyFamilyRunsOnThem(String modelType) throws CheckpointException {
        GemmaConfig config = config(modelType);
        try (Arena arena = Arena.ofConfined()) {
            TextModel model = Models.random(config, 8, arena);
            KvCache cache = model.newCache(8, arena);
            Batch batch = new Batch().add(cache, 0, new int[] {2, 7, 299}, 0, 3);
            Matrix logits = model.decoder()
                    .logits(model.decoder().forward(batch, () -> false, null).row(2));
            assertThat(logits.cols()).isEqualTo(300);
            for (int i = 0; i < 300; i++) {
                assertThat(logits.data().getAtIndex(ValueLayout.JAVA_FLOAT, i))
                        .isFinite()
                        .isNotZero();
            }
        }
    }

    /// More rows than the feed-forward computes at once give what small passes give.
    @ParameterizedTest
    @ValueSource(strings = {"gemma2", "recurrent_gemma"})
    void aLongPassIsThatOfShortOnes(String modelType) throws CheckpointException {
        int length = Workspace.MAX_GATED_ROWS + 6;
        GemmaConfig config = config(modelType);
        int[] ids = new SplittableRandom(1).ints(length, 0, 300).toArray();
        try (Arena arena = Arena.ofConfined()) {
            TextModel whole = Models.random(config, length, arena);
            TextModel parts = Models.random(config, 103, arena);
            KvCache cache = parts.newCache(length, arena);
            Matrix residual = whole.decoder()
                    .forward(new Batch().add(whole.newCache(length, arena), 0, ids, 0, length), () -> false, null);
            for (int from = 0; from < length; from += 103) {
                Matrix part = parts.decoder().forward(new Batch().add(cache, from, ids, from, 103), () -> false, null);
                for (int row = 0; row < 103; row++) {
                    for (int col = 0; col < part.cols(); col++) {
                        assertThat(get(part, row, col)).isCloseTo(get(residual, from + row, col), within(1e-4));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma", "gemma3_text", "recurrent_gemma"})
    void theyAreNormalAndAsManyAsTheShapeAsksFor(String modelType) throws CheckpointException {
        GemmaConfig config = config(modelType);
        try (Arena arena = Arena.ofConfined()) {
            Weights weights = RandomWeights.of(config, arena, arena);
            double sum = 0;
            double squares = 0;
            Matrix embedding = (Matrix) weights.embedding();
            int count = embedding.rows() * embedding.cols();
            for (int i = 0; i < count; i++) {
                double value = Float.intBitsToFloat(embedding.data().getAtIndex(ValueLayout.JAVA_SHORT, i) << 16);
                sum += value;
                squares += value * value;
            }
            assertThat(sum / count).isCloseTo(0, within(1e-3));
            assertThat(Math.sqrt(squares / count)).isCloseTo(0.02, within(1e-3));
            ModuleTree tree = ModuleTree.of(config, weights);
            long norms = (tree.parameters() * 2 - RandomWeights.bytes(config)) / 2;
            assertThat(tree.bytes()).isEqualTo(RandomWeights.bytes(config) + norms * Float.BYTES);
            assertThat(norms).isPositive().isLessThan(modelType.equals("recurrent_gemma") ? 3000 : 1000);
        }
    }

    /// Of the recurrent family two blocks with a recurrence of another width than the rest, and one with attention.
    private static GemmaConfig config(String modelType) throws CheckpointException {
        String more = modelType.equals("recurrent_gemma") ? ",'lru_width':64" : "";
        return HuggingFaceConfig.read(HuggingFaceConfigTest.parse(modelType, EXTENTS + more), null);
    }
}
