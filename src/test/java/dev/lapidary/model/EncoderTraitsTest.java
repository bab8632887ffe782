package dev.lapidary.model;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.ReferenceKernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// A model with an encoder on reference kernels agrees with the official code, and each trait matters: with one
/// changed, the golden no longer holds.
class EncoderTraitsTest {
    private static final EncoderGolden GOLDEN = EncoderGolden.official();

    /// All at once by GEMM, a few at a time by attention of single rows.
    @ParameterizedTest
    @ValueSource(ints = {100, 7, 3, 1})
    void theModelAgreesWithTheReference(int chunk) throws IOException {
        for (EncoderGolden golden : List.of(GOLDEN, EncoderGolden.ofOtherWidths())) {
            assertThat(worstDifference(golden, c -> c, c -> c, w -> w, chunk)).isLessThan(Golden.F32_TOLERANCE / 4);
        }
    }

    @Test
    void theEncoderAgreesWithTheReference() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.folder());
                Arena arena = Arena.ofConfined()) {
            int[] ids = GOLDEN.encoderIds();
            GemmaConfig config = TextEncoder.config(checkpoint).orElseThrow();
            TextModel encoder = Models.of(config, WeightsReader.read(checkpoint, config, arena), ids.length, arena);
            Batch batch = new Batch().add(encoder.newCache(ids.length, arena), 0, ids, 0, ids.length);
            Matrix states = encoder.decoder().normed(encoder.decoder().forward(batch, () -> false, null));
            assertThat(relative(GOLDEN.tensor("encoder_last_hidden", arena), states))
                    .isLessThan(Golden.F32_TOLERANCE / 4);
        }
    }

    static Stream<Arguments> changes() {
        return Stream.of(
                encoder("encoder window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                encoder("encoder window one shorter", l -> Configs.withWindow(l, l.window() - 1)),
                encoder("encoder window halved as in EmbeddingGemma", l -> Configs.withWindow(l, l.window() / 2 + 1)),
                encoder("encoder attention softcap", l -> Configs.with(l, l.window(), l.queryScale(), 0)),
                decoder("decoder window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                decoder("decoder attention softcap", l -> Configs.with(l, l.window(), l.queryScale(), 0)),
                decoder("decoder query scale", l -> Configs.with(l, l.window(), 0.1f, l.softcap())),
                weights("cross-attention left out", w -> with(w, null)),
                weights("post-norm of cross-attention left out", w -> {
                    CrossAttentionWeights c = w.crossAttention();
                    return with(w, new CrossAttentionWeights(c.preNorm(), c.query(), c.keyValue(), c.output(), null));
                }),
                weights("pre-norm of cross-attention that of the feed-forward", w -> {
                    CrossAttentionWeights c = w.crossAttention();
                    return with(
                            w,
                            new CrossAttentionWeights(
                                    w.preFeedForwardNorm(), c.query(), c.keyValue(), c.output(), c.postNorm()));
                }));
    }

    @ParameterizedTest
    @MethodSource("changes")
    void eachTraitBites(
            UnaryOperator<GemmaConfig> encoder, UnaryOperator<GemmaConfig> decoder, UnaryOperator<LayerWeights> weights)
            throws IOException {
        assertThat(worstDifference(GOLDEN, encoder, decoder, weights, 100)).isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    /// Windows that end within a block of queries, and a width that is the encoder's own.
    @Test
    void aLongTextHasItsWindows() throws IOException {
        EncoderGolden golden = EncoderGolden.ofOtherWidths();
        for (int more : new int[] {1, -1}) {
            UnaryOperator<GemmaConfig> change = c -> c.withLayers(l -> Configs.withWindow(l, l.window() + more));
            assertThat(worstDifference(golden, change, c -> c, w -> w, 100)).isGreaterThan(5 * Golden.F32_TOLERANCE);
            assertThat(worstDifference(golden, c -> c, change, w -> w, 100)).isGreaterThan(5 * Golden.F32_TOLERANCE);
        }
    }

    @Test
    void anEncoderThatSeesBackOnlyBites() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.folder());
                Arena arena = Arena.ofConfined()) {
            int[] ids = GOLDEN.encoderIds();
            GemmaConfig both = TextEncoder.config(checkpoint).orElseThrow();
            Weights weights = WeightsReader.read(checkpoint, both, arena);
            TextModel causal = Models.of(Configs.withLayers(both, Configs::causal), weights, ids.length, arena);
            Batch batch = new Batch().add(causal.newCache(ids.length, arena), 0, ids, 0, ids.length);
            Matrix states = causal.decoder().normed(causal.decoder().forward(batch, () -> false, null));
            assertThat(relative(GOLDEN.tensor("encoder_last_hidden", arena), states))
                    .isGreaterThan(5 * Golden.F32_TOLERANCE);
        }
    }

    /// Sequences of one batch attend each to its own text, one of them by GEMM and one by attention of single rows.
    @Test
    void sequencesOfABatchAttendToTheirOwnTexts() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.folder());
                Arena arena = Arena.ofConfined()) {
            TextModel decoder = Models.read(checkpoint, 100, arena);
            GemmaConfig config = TextEncoder.config(checkpoint).orElseThrow();
            TextModel encoding = Models.of(config, WeightsReader.read(checkpoint, config, arena), 1, arena);
            TextEncoder encoder = new TextEncoder(encoding, decoder, new ReferenceKernels(), each -> each);
            int[] ids = GOLDEN.decoderIds();
            Batch batch = new Batch();
            List<EncodedText> texts = new ArrayList<>();
            for (int[] each : List.of(new int[] {9, 8, 7}, GOLDEN.encoderIds(), GOLDEN.encoderIds())) {
                KvCache cache = decoder.newCache(100, arena);
                texts.add(encoder.encode(each, () -> false));
                cache.attendTo(texts.getLast());
                batch.add(cache, 0, ids, 0, texts.size() == 3 ? 2 : ids.length);
            }
            Matrix residual = decoder.decoder().forward(batch, () -> false, null);
            Matrix expected = GOLDEN.tensor("decode_logits", arena);
            Matrix beginning = expected.rows(0, 2);
            assertThat(difference(decoder, expected, residual.rows(0, ids.length)))
                    .isGreaterThan(5 * Golden.F32_TOLERANCE);
            assertThat(difference(decoder, expected, residual.rows(ids.length, ids.length)))
                    .isLessThan(Golden.F32_TOLERANCE / 4);
            assertThat(difference(decoder, beginning, residual.rows(2 * ids.length, 2)))
                    .isLessThan(Golden.F32_TOLERANCE / 4);
            texts.forEach(EncodedText::release);
        }
    }

    private static double difference(TextModel decoder, Matrix expected, Matrix residual) {
        return LogitsDifference.relative(expected, decoder.decoder()::logits, residual);
    }

    @Test
    void aPassWithoutATextIsRefused() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(GOLDEN.folder());
                Arena arena = Arena.ofConfined()) {
            TextModel model = Models.read(checkpoint, 8, arena);
            Batch batch = new Batch().add(model.newCache(8, arena), 0, new int[8], 0, 8);
            assertThatThrownBy(() -> model.decoder().forward(batch, () -> false, null))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("KV cache: got no encoded text, need one for layers that attend to it");
        }
    }

    private static double worstDifference(
            EncoderGolden golden,
            UnaryOperator<GemmaConfig> encoderChange,
            UnaryOperator<GemmaConfig> decoderChange,
            UnaryOperator<LayerWeights> weightsChange,
            int chunk)
            throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder());
                Arena arena = Arena.ofConfined()) {
            GemmaConfig config = decoderChange.apply(CheckpointConfig.read(checkpoint));
            Weights read = WeightsReader.read(checkpoint, config, arena);
            List<LayerWeights> layers =
                    read.layers().stream().map(weightsChange).toList();
            TextModel decoder = Models.of(
                    config,
                    new Weights(read.embedding(), read.head(), read.finalNorm(), layers, null, null),
                    100,
                    arena);
            TextModel attending = Models.of(config, read, 1, arena);
            GemmaConfig encoderConfig =
                    encoderChange.apply(TextEncoder.config(checkpoint).orElseThrow());
            TextModel encoding =
                    Models.of(encoderConfig, WeightsReader.read(checkpoint, encoderConfig, arena), 1, arena);
            TextEncoder encoder = new TextEncoder(encoding, attending, new ReferenceKernels(), each -> each);
            EncodedText text = encoder.encode(golden.encoderIds(), () -> false);
            KvCache cache = decoder.newCache(100, arena);
            cache.attendTo(text);
            double worst = worst(decoder, cache, golden.decoderIds(), chunk, golden.tensor("decode_logits", arena));
            text.release();
            return worst;
        }
    }

    private static double worst(TextModel decoder, KvCache cache, int[] ids, int chunk, Matrix expected) {
        double worst = 0;
        for (int from = 0; from < ids.length; from += chunk) {
            int count = Math.min(chunk, ids.length - from);
            Matrix residual =
                    decoder.decoder().forward(new Batch().add(cache, from, ids, from, count), () -> false, null);
            worst = Math.max(
                    worst, LogitsDifference.relative(expected.rows(from, count), decoder.decoder()::logits, residual));
        }
        return worst;
    }

    private static double relative(Matrix expected, Matrix got) {
        double largest = 0;
        double worst = 0;
        for (int row = 0; row < expected.rows(); row++) {
            for (int col = 0; col < expected.cols(); col++) {
                double difference = Math.abs(get(got, row, col) - get(expected, row, col));
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
                largest = Math.max(largest, Math.abs(get(expected, row, col)));
            }
        }
        return worst / largest;
    }

    private static Arguments encoder(String trait, UnaryOperator<LayerConfig> change) {
        UnaryOperator<GemmaConfig> config = c -> c.withLayers(change);
        return Arguments.of(Named.of(trait, config), asStored(), asStored());
    }

    private static Arguments decoder(String trait, UnaryOperator<LayerConfig> change) {
        UnaryOperator<GemmaConfig> config = c -> c.withLayers(change);
        return Arguments.of(asStored(), Named.of(trait, config), asStored());
    }

    private static Arguments weights(String trait, UnaryOperator<LayerWeights> change) {
        return Arguments.of(asStored(), asStored(), Named.of(trait, change));
    }

    private static Named<UnaryOperator<Object>> asStored() {
        return Named.of("as stored", UnaryOperator.identity());
    }

    private static LayerWeights with(LayerWeights w, CrossAttentionWeights crossing) {
        return new LayerWeights(
                w.preAttentionNorm(),
                w.inputProjection(),
                w.queryNorm(),
                w.keyNorm(),
                w.recurrence(),
                w.outputProjection(),
                w.outputBias(),
                w.postAttentionNorm(),
                w.preFeedForwardNorm(),
                w.gate(),
                w.up(),
                w.down(),
                w.biases(),
                w.postFeedForwardNorm(),
                w.valueNorm(),
                w.experts(),
                w.perLayer(),
                w.outputScale(),
                w.laurel(),
                w.altUp(),
                crossing);
    }
}
