package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.kernels.Projection;
import dev.lapidary.kernels.WeightMatrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What Gemma 4 brought: each trait matters, as in [TraitsTest]. Head dimensions, key heads and doubled feed-forwards
/// matter by the shapes they ask of the checkpoint.
class Gemma4TraitsTest {
    private static final String DENSE = "gemma4-text-dense";
    private static final String PER_LAYER = "gemma4-text-ple";
    private static final String MIXTURE = "gemma4-text-moe";

    static Stream<Arguments> attention() {
        return Stream.of(
                config(DENSE, "norm offset", c -> Configs.with(c, c.embeddingScale(), 1f, c.finalSoftcap())),
                config(DENSE, "final softcap", c -> Configs.with(c, c.embeddingScale(), c.normOffset(), 0f)),
                layers(
                        DENSE,
                        "query scale",
                        l -> Configs.with(l, l.window(), 1 / (float) Math.sqrt(l.headDim()), l.softcap())),
                layers(DENSE, "window one longer", l -> Configs.withWindow(l, l.window() + 1)),
                layers(DENSE, "window one shorter", l -> Configs.withWindow(l, l.window() - 1)),
                layers(DENSE, "local theta", l -> local(l) ? Configs.withRope(l, 1e6, 1) : l),
                layers(DENSE, "global theta", l -> local(l) ? l : Configs.withRope(l, 1e4, 1)),
                layers(DENSE, "all pairs turn", l -> Configs.withRotatedDims(l, l.headDim())),
                layers(DENSE, "frequencies of a quarter head", l -> local(l) ? l : Configs.withRotatedDims(l, 8)),
                weights(DENSE, "layer scalar", w -> with(w, w.experts(), w.perLayer(), 1)),
                weights(DENSE, "query norm", w -> withNorms(w, null, w.keyNorm(), w.valueNorm())),
                weights(DENSE, "key norm", w -> withNorms(w, w.queryNorm(), null, w.valueNorm())),
                weights(DENSE, "value norm", w -> withNorms(w, w.queryNorm(), w.keyNorm(), null)),
                weights(
                        DENSE,
                        "values are keys before their norm",
                        w -> w.inputProjection().parts().size() == 2
                                ? withNorms(w, w.queryNorm(), w.keyNorm(), w.keyNorm())
                                : w),
                layers(
                        PER_LAYER,
                        "keys and values shared",
                        l -> l.keyValues().isShared()
                                ? with(l, new KeyValues(KeyValues.OWN, false, true), l.experts())
                                : l),
                layers(
                        PER_LAYER,
                        "the last keys and values shared",
                        l -> l.keyValues().isShared() && local(l)
                                ? with(l, new KeyValues(0, false, false), l.experts())
                                : l));
    }

    static Stream<Arguments> perLayer() {
        return Stream.of(
                table("the table", t -> new PerLayerTable(zeros(t.table()), t.projection(), t.norm())),
                table("the projection", t -> new PerLayerTable(t.table(), zeros(t.projection()), t.norm())),
                table("the norm of the projection", t -> new PerLayerTable(t.table(), t.projection(), ones(t.norm()))),
                perLayerOf("the gate", p -> new PerLayerWeights(zeros(p.gate()), p.projection(), p.norm())),
                perLayerOf("the norm", p -> new PerLayerWeights(p.gate(), p.projection(), ones(p.norm()))));
    }

    static Stream<Arguments> mixture() {
        return Stream.of(
                layers(MIXTURE, "one expert more", l -> with(l, l.keyValues(), used(l, 3))),
                layers(MIXTURE, "one expert less", l -> with(l, l.keyValues(), used(l, 1))),
                experts("router scale", m -> with(m, filled(m.routerNorm(), 1f / 8), m.shares(), m.denseNorm())),
                experts("scale of an expert", m -> with(m, m.routerNorm(), ones(m.shares()), m.denseNorm())),
                experts("norm of the feed-forward", m -> with(m, m.routerNorm(), m.shares(), ones(m.denseNorm()))),
                experts("norm of the input", m -> with(m, ones(m.inputNorm()), m.outputNorm())),
                experts("norm of the output", m -> with(m, m.inputNorm(), ones(m.outputNorm()))),
                experts("the mixture", m -> with(m, m.inputNorm(), filled(m.outputNorm(), 0))));
    }

    @ParameterizedTest
    @MethodSource({"attention", "perLayer", "mixture"})
    void eachTraitBites(String name, UnaryOperator<GemmaConfig> config, UnaryOperator<Weights> weights)
            throws IOException {
        assertThat(TraitsTest.worstDifferenceOf(name, config, weights)).isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    private static boolean local(LayerConfig layer) {
        return layer.attention() == AttentionType.LOCAL;
    }

    private static Arguments config(String golden, String trait, UnaryOperator<GemmaConfig> change) {
        return Arguments.of(golden, Named.of(trait, change), Named.of("as stored", UnaryOperator.<Weights>identity()));
    }

    private static Arguments layers(String golden, String trait, UnaryOperator<LayerConfig> change) {
        return config(golden, trait, c -> Configs.withLayers(c, change));
    }

    private static Arguments changed(String golden, String trait, UnaryOperator<Weights> change) {
        return Arguments.of(
                golden, Named.of("as stored", UnaryOperator.<GemmaConfig>identity()), Named.of(trait, change));
    }

    private static Arguments weights(String golden, String trait, UnaryOperator<LayerWeights> change) {
        return changed(
                golden,
                trait,
                w -> new Weights(
                        w.embedding(),
                        w.head(),
                        w.finalNorm(),
                        w.layers().stream().map(change).toList(),
                        w.perLayer(),
                        w.altUp()));
    }

    private static Arguments table(String trait, UnaryOperator<PerLayerTable> change) {
        return changed(
                PER_LAYER,
                trait,
                w -> new Weights(
                        w.embedding(), w.head(), w.finalNorm(), w.layers(), change.apply(w.perLayer()), w.altUp()));
    }

    private static Arguments perLayerOf(String trait, UnaryOperator<PerLayerWeights> change) {
        return weights(PER_LAYER, trait, w -> with(w, w.experts(), change.apply(w.perLayer()), w.outputScale()));
    }

    private static Arguments experts(String trait, UnaryOperator<ExpertWeights> change) {
        return weights(MIXTURE, trait, w -> with(w, change.apply(w.experts()), w.perLayer(), w.outputScale()));
    }

    private static Experts used(LayerConfig layer, int used) {
        return new Experts(layer.experts().count(), used, layer.experts().neurons());
    }

    private static LayerConfig with(LayerConfig l, KeyValues keyValues, Experts experts) {
        return new LayerConfig(
                l.attention(),
                l.window(),
                l.rope(),
                l.heads(),
                l.kvHeads(),
                l.headDim(),
                l.queryScale(),
                l.softcap(),
                l.queryKeyNorm(),
                l.postNorms(),
                l.neurons(),
                l.convolution(),
                l.biases(),
                false,
                keyValues,
                experts,
                l.scaledOutput(),
                l.sparsity(),
                0);
    }

    private static LayerWeights withNorms(LayerWeights w, Matrix queryNorm, Matrix keyNorm, Matrix valueNorm) {
        return with(w, queryNorm, keyNorm, valueNorm, w.experts(), w.perLayer(), w.outputScale());
    }

    private static LayerWeights with(LayerWeights w, ExpertWeights experts, PerLayerWeights perLayer, float scale) {
        return with(w, w.queryNorm(), w.keyNorm(), w.valueNorm(), experts, perLayer, scale);
    }

    private static LayerWeights with(
            LayerWeights w,
            Matrix queryNorm,
            Matrix keyNorm,
            Matrix valueNorm,
            ExpertWeights experts,
            PerLayerWeights perLayer,
            float outputScale) {
        return new LayerWeights(
                w.preAttentionNorm(),
                w.inputProjection(),
                queryNorm,
                keyNorm,
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
                valueNorm,
                experts,
                perLayer,
                outputScale,
                w.laurel(),
                w.altUp(),
                w.crossAttention());
    }

    private static ExpertWeights with(ExpertWeights m, Matrix routerNorm, Matrix shares, Matrix denseNorm) {
        return new ExpertWeights(routerNorm, m.router(), shares, denseNorm, m.inputNorm(), m.experts(), m.outputNorm());
    }

    private static ExpertWeights with(ExpertWeights m, Matrix inputNorm, Matrix outputNorm) {
        return new ExpertWeights(
                m.routerNorm(), m.router(), m.shares(), m.denseNorm(), inputNorm, m.experts(), outputNorm);
    }

    private static Projection zeros(Projection like) {
        return new Projection(Arena.ofAuto(), List.of(zeros(like.parts().getFirst())));
    }

    private static Matrix zeros(WeightMatrix like) {
        return Matrix.allocate(Arena.ofAuto(), DataType.F32, like.rows(), like.cols());
    }

    private static Matrix ones(Matrix like) {
        return filled(like, 1);
    }

    private static Matrix filled(Matrix like, float value) {
        Matrix filled = zeros(like);
        for (int i = 0; i < filled.cols(); i++) {
            filled.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return filled;
    }
}
