package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The decoder on reference kernels agrees with the official code, and each trait matters: with one switched off, its
/// golden no longer holds.
class TraitsTest {
    static List<String> cases() {
        return Golden.TEXT_CASES;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theDecoderAgreesWithTheReference(String name) throws IOException {
        assertThat(worstDifference(name, UnaryOperator.identity(), UnaryOperator.identity()))
                .isLessThan(Golden.F32_TOLERANCE / 4);
    }

    static Stream<Arguments> switchedOff() {
        return Stream.of(
                config("gemma1-mqa", "embedding scale", c -> Configs.with(c, 1f, c.normOffset(), c.finalSoftcap())),
                config("gemma1-mqa", "norm offset", c -> Configs.with(c, c.embeddingScale(), 0f, c.finalSoftcap())),
                layers(
                        "gemma1-mqa",
                        "rope",
                        l -> Configs.withRope(l, 10, l.rope().factor())),
                config("gemma2", "final softcap", c -> Configs.with(c, c.embeddingScale(), c.normOffset(), 0f)),
                layers("gemma2", "attention softcap", l -> Configs.with(l, l.window(), l.queryScale(), 0)),
                layers(
                        "gemma2",
                        "query scale",
                        l -> Configs.with(l, l.window(), 1 / (float) Math.sqrt(l.headDim()), l.softcap())),
                layers("gemma2", "window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                layers("gemma2", "window one shorter", l -> Configs.withWindow(l, l.window() + -1)),
                weights("gemma2", "post-attention norm", w -> norms(w, true, true, false, true)),
                weights("gemma2", "post-feed-forward norm", w -> norms(w, true, true, true, false)),
                config("gemma2", "even layers local", TraitsTest::swapped),
                layers("gemma3-text", "window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                layers("gemma3-text", "local theta", l -> local(l) ? Configs.withRope(l, 1e6, 1) : l),
                layers("gemma3-text", "global theta", l -> local(l) ? l : Configs.withRope(l, 1e4, 1)),
                weights("gemma3-text", "query norm", w -> norms(w, false, true, true, true)),
                weights("gemma3-text", "key norm", w -> norms(w, true, false, true, true)),
                layers(
                        "gemma3-text-ropescale",
                        "linear scaling",
                        l -> Configs.withRope(l, l.rope().theta(), 1)),
                layers(
                        "gemma3-text-ropescale",
                        "scaling on local layers",
                        l -> Configs.withRope(l, l.rope().theta(), 8)),
                layers(
                        "gemma3-text-ropescale",
                        "query scale",
                        l -> Configs.with(l, l.window(), 1 / (float) Math.sqrt(l.headDim()), l.softcap())));
    }

    static Stream<Arguments> recurrentSwitchedOff() {
        String golden = "recurrentgemma";
        return Stream.of(
                config(
                        golden,
                        "embedding scale not rounded to BF16",
                        c -> Configs.with(c, (float) Math.sqrt(c.embedding()), c.normOffset(), c.finalSoftcap())),
                config(golden, "final softcap", c -> Configs.with(c, c.embeddingScale(), c.normOffset(), 0f)),
                layers(golden, "window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                layers(golden, "window one shorter", l -> Configs.withWindow(l, l.window() - 1)),
                layers(golden, "all of a head rotated", l -> Configs.withRotatedDims(l, l.headDim())),
                weights(golden, "attention output bias", w -> w.recurrence() == null ? biases(w, false, true) : w),
                weights(golden, "recurrent output bias", w -> w.recurrence() == null ? w : biases(w, false, true)),
                weights(golden, "feed-forward biases", w -> biases(w, true, false)),
                recurrence(golden, "input bias", r -> changed(r, 0)),
                recurrence(golden, "convolution", r -> changed(r, 1)),
                recurrence(golden, "convolution bias", r -> changed(r, 2)),
                recurrence(golden, "input gate", r -> changed(r, 3)),
                recurrence(golden, "input gate bias", r -> changed(r, 4)),
                recurrence(golden, "recurrence gate", r -> changed(r, 5)),
                recurrence(golden, "recurrence gate bias", r -> changed(r, 6)),
                recurrence(golden, "decay", r -> changed(r, 7)));
    }

    @ParameterizedTest
    @MethodSource({"switchedOff", "recurrentSwitchedOff"})
    void eachTraitBites(String name, UnaryOperator<GemmaConfig> config, UnaryOperator<LayerWeights> weights)
            throws IOException {
        assertThat(worstDifference(name, config, weights)).isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    private static double worstDifference(
            String name, UnaryOperator<GemmaConfig> configChange, UnaryOperator<LayerWeights> layerChange)
            throws IOException {
        return worstDifferenceOf(
                name,
                configChange,
                w -> new Weights(
                        w.embedding(),
                        w.head(),
                        w.finalNorm(),
                        w.layers().stream().map(layerChange).toList(),
                        w.perLayer(),
                        w.altUp()));
    }

    /// Largest difference from the reference over all prompt positions, as a fraction of its largest logit.
    static double worstDifferenceOf(
            String name, UnaryOperator<GemmaConfig> configChange, UnaryOperator<Weights> weightsChange)
            throws IOException {
        Golden golden = Golden.of(name);
        try (Checkpoint checkpoint = Checkpoint.open(golden.folder());
                Arena arena = Arena.ofConfined()) {
            GemmaConfig config = configChange.apply(CheckpointConfig.read(checkpoint));
            Weights weights = weightsChange.apply(WeightsReader.read(checkpoint, config, arena));
            int[] prompt = golden.prompt();
            TextModel model = Models.of(config, weights, prompt.length, arena);
            KvCache cache = model.newCache(prompt.length, arena);
            Batch batch = new Batch().add(cache, 0, prompt, 0, prompt.length);
            Matrix residual = model.decoder().forward(batch, () -> false, null);
            Matrix expected = golden.tensor("logits", arena);
            return LogitsDifference.relative(expected, model.decoder()::logits, residual);
        }
    }

    private static Arguments config(String golden, String trait, UnaryOperator<GemmaConfig> change) {
        return Arguments.of(
                golden, Named.of(trait, change), Named.of("as stored", UnaryOperator.<LayerWeights>identity()));
    }

    private static Arguments layers(String golden, String trait, UnaryOperator<LayerConfig> change) {
        return config(golden, trait, c -> Configs.withLayers(c, change));
    }

    private static Arguments weights(String golden, String trait, UnaryOperator<LayerWeights> change) {
        return Arguments.of(
                golden, Named.of("as stored", UnaryOperator.<GemmaConfig>identity()), Named.of(trait, change));
    }

    private static GemmaConfig swapped(GemmaConfig config) {
        List<LayerConfig> layers = new ArrayList<>();
        for (int i = 0; i < config.layers().size(); i += 2) {
            layers.add(config.layers().get(i + 1));
            layers.add(config.layers().get(i));
        }
        return Configs.withLayers(config, layers);
    }

    private static LayerWeights norms(
            LayerWeights w, boolean query, boolean key, boolean postAttention, boolean postFeedForward) {
        return new LayerWeights(
                w.preAttentionNorm(),
                w.inputProjection(),
                query ? w.queryNorm() : null,
                key ? w.keyNorm() : null,
                w.recurrence(),
                w.outputProjection(),
                w.outputBias(),
                postAttention ? w.postAttentionNorm() : null,
                w.preFeedForwardNorm(),
                w.gate(),
                w.up(),
                w.down(),
                w.biases(),
                postFeedForward ? w.postFeedForwardNorm() : null,
                w.valueNorm(),
                w.experts(),
                w.perLayer(),
                w.outputScale(),
                w.laurel(),
                w.altUp(),
                w.crossAttention());
    }

    private static Arguments recurrence(String golden, String trait, UnaryOperator<RecurrenceWeights> change) {
        return weights(golden, trait, w -> {
            RecurrenceWeights recurrence = w.recurrence();
            return recurrence == null ? w : with(w, change.apply(recurrence), w.outputBias(), w.biases());
        });
    }

    private static LayerWeights biases(LayerWeights w, boolean output, boolean feedForward) {
        return with(w, w.recurrence(), output ? w.outputBias() : null, feedForward ? w.biases() : null);
    }

    private static LayerWeights with(
            LayerWeights w, RecurrenceWeights recurrence, Matrix outputBias, FeedForwardBiases biases) {
        return new LayerWeights(
                w.preAttentionNorm(),
                w.inputProjection(),
                w.queryNorm(),
                w.keyNorm(),
                recurrence,
                w.outputProjection(),
                outputBias,
                w.postAttentionNorm(),
                w.preFeedForwardNorm(),
                w.gate(),
                w.up(),
                w.down(),
                biases,
                w.postFeedForwardNorm(),
                w.valueNorm(),
                w.experts(),
                w.perLayer(),
                w.outputScale(),
                w.laurel(),
                w.altUp(),
                w.crossAttention());
    }

    /// With the `component`-th weight all zeros; of the convolution, which would leave nothing, all taps but the
    /// last.
    private static RecurrenceWeights changed(RecurrenceWeights r, int component) {
        Matrix[] all = {
            r.inputBias(),
            r.taps(),
            r.tapBias(),
            r.inputGate(),
            r.inputGateBias(),
            r.recurrenceGate(),
            r.recurrenceGateBias(),
            r.rate()
        };
        Matrix zeros = Matrix.allocate(Arena.ofAuto(), all[component].rows(), all[component].cols());
        if (component == 1) {
            Matrix last = r.taps().row(r.taps().rows() - 1);
            zeros.row(zeros.rows() - 1).data().copyFrom(last.data());
        }
        all[component] = zeros;
        return new RecurrenceWeights(all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7]);
    }

    private static boolean local(LayerConfig layer) {
        return layer.attention() == AttentionType.LOCAL;
    }
}
