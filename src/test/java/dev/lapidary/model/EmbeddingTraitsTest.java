package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.embedding.EmbeddingConfig;
import dev.lapidary.embedding.EmbeddingModel;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.ReferenceKernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// An embedding model on reference kernels agrees with the official code, and each trait matters: with one changed, the
/// golden no longer holds.
class EmbeddingTraitsTest {
    @Test
    void theModelAgreesWithTheReference() throws IOException {
        EmbeddingGolden all = EmbeddingGolden.official().plus(EmbeddingGolden.ofOtherLengths());
        assertThat(worstDifference(all, UnaryOperator.identity(), UnaryOperator.identity(), 1))
                .isLessThan(Golden.F32_TOLERANCE / 4);
    }

    /// Texts that are computed at once do not see one another.
    @Test
    void togetherIsTheSameAsOneByOne() throws IOException {
        EmbeddingGolden golden = EmbeddingGolden.official();
        assertThat(worstDifference(golden, UnaryOperator.identity(), UnaryOperator.identity(), 3))
                .isLessThan(Golden.F32_TOLERANCE / 4);
    }

    static Stream<Arguments> changes() {
        return Stream.of(
                layers("window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                layers("window one shorter", l -> Configs.withWindow(l, l.window() - 1)),
                layers("window as in the file", l -> Configs.withWindow(l, 12)),
                layers("no window", l -> Configs.withWindow(l, 1000)),
                pooling("dense layers left out", c -> with(c, List.of(), c.normalised())),
                pooling("not normalised", c -> with(c, c.dense(), false)));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void eachTraitBites(UnaryOperator<GemmaConfig> text, UnaryOperator<EmbeddingConfig> pooling) throws IOException {
        assertThat(worstDifference(EmbeddingGolden.official(), text, pooling, 1))
                .isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    @Test
    void seeingBothWaysBites() throws IOException {
        EmbeddingGolden golden = EmbeddingGolden.official();
        assertThat(worstDifference(golden, c -> Configs.withLayers(c, Configs::causal), UnaryOperator.identity(), 1))
                .isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    @Test
    void aSequenceIsComputedAsAWhole() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(EmbeddingGolden.FOLDER);
                Arena arena = Arena.ofConfined()) {
            TextModel text = Models.read(checkpoint, 8, arena);
            Batch rest = new Batch().add(text.newCache(8, arena), 4, new int[8], 4, 4);
            assertThatThrownBy(() -> text.decoder().forward(rest, () -> false, null))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage(
                            "batch: got tokens from position 4 on, need the whole sequence, whose tokens all see one"
                                    + " another");
        }
    }

    @Test
    void allLayersStandInTheMemoryOfOne() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(EmbeddingGolden.FOLDER)) {
            GemmaConfig config = CheckpointConfig.read(checkpoint);
            LayerConfig layer = config.layers().getFirst();
            assertThat(KvCache.bytes(config, 128, 8, DataType.F32)).isEqualTo(2L * 128 * layer.kvCols() * Float.BYTES);
        }
    }

    private static double worstDifference(
            EmbeddingGolden golden,
            UnaryOperator<GemmaConfig> textChange,
            UnaryOperator<EmbeddingConfig> poolingChange,
            int together)
            throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(EmbeddingGolden.FOLDER);
                Arena arena = Arena.ofConfined()) {
            GemmaConfig stored = CheckpointConfig.read(checkpoint);
            EmbeddingConfig pooling = EmbeddingModel.config(checkpoint, stored).orElseThrow();
            GemmaConfig config = textChange.apply(stored);
            TextModel text = Models.of(config, WeightsReader.read(checkpoint, config, arena), 700, arena);
            EmbeddingModel model = EmbeddingModel.read(
                    checkpoint, poolingChange.apply(pooling), text, new ReferenceKernels(), arena, arena);
            List<float[]> got = new java.util.ArrayList<>();
            for (int from = 0; from < golden.texts().size(); from += together) {
                List<int[]> some = golden.texts().subList(from, from + together);
                got.addAll(model.embed(some, model.dimensions(), () -> false));
            }
            return golden.difference(got);
        }
    }

    private static EmbeddingConfig with(EmbeddingConfig c, List<EmbeddingConfig.Dense> dense, boolean normalised) {
        return new EmbeddingConfig(c.maxTokens(), dense, normalised, c.prompts(), c.defaultPrompt());
    }

    private static Arguments layers(String trait, UnaryOperator<LayerConfig> change) {
        UnaryOperator<GemmaConfig> config = c -> Configs.withLayers(c, change);
        return Arguments.of(Named.of(trait, config), Named.of("as stored", UnaryOperator.<EmbeddingConfig>identity()));
    }

    private static Arguments pooling(String trait, UnaryOperator<EmbeddingConfig> change) {
        return Arguments.of(Named.of("as stored", UnaryOperator.<GemmaConfig>identity()), Named.of(trait, change));
    }
}
