package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/// What Gemma 3n brought: how its `config.json` says it, and that each trait matters, as in [TraitsTest].
class Gemma3nTest {
    private static final String GOLDEN = "gemma3n-text";

    @Test
    void absentKeysHaveTheReferencesDefaults() throws CheckpointException {
        GemmaConfig config = read("");
        assertThat(config.vocab()).isEqualTo(262400);
        assertThat(config.normOffset()).isZero();
        assertThat(config.finalSoftcap()).isEqualTo(30);
        assertThat(config.perLayer()).isEqualTo(new PerLayerConfig(262144, 256));
        assertThat(config.altUp()).isEqualTo(new AltUpConfig(4, true));
        assertThat(config.laurelRank()).isEqualTo(64);
        assertThat(config.layers()).hasSize(35);
        assertThat(config.layers().stream().map(LayerConfig::neurons)).containsOnly(16384);
        Rope local = new Rope(1e4, 1, 256);
        Rope global = new Rope(1e6, 1, 256);
        KeyValues own = new KeyValues(KeyValues.OWN, false, true);
        assertThat(config.layers().get(0))
                .isEqualTo(new LayerConfig(
                        AttentionType.LOCAL,
                        512,
                        local,
                        8,
                        2,
                        256,
                        1,
                        0,
                        true,
                        true,
                        16384,
                        0,
                        false,
                        false,
                        own,
                        null,
                        false,
                        0.95,
                        0));
        assertThat(config.layers().get(14).rope()).isEqualTo(global);
        assertThat(config.layers().get(14).sparsity()).isZero();
        assertThat(config.layers().get(20).keyValues()).isEqualTo(new KeyValues(18, false, false));
        assertThat(config.layers().get(34).keyValues()).isEqualTo(new KeyValues(19, false, false));
    }

    @Test
    void layersMayDifferInWidthAndSparsity() throws CheckpointException {
        GemmaConfig config = read("""
            'num_hidden_layers':2,'num_kv_shared_layers':0,'intermediate_size':[100,200],
            'activation_sparsity_pattern':[0.5,0],'final_logit_softcapping':null,'altup_correct_scale':false\
            """);
        assertThat(config.layers().stream().map(LayerConfig::neurons)).containsExactly(100, 200);
        assertThat(config.layers().stream().map(LayerConfig::sparsity)).containsExactly(0.5, 0.0);
        assertThat(config.finalSoftcap()).isZero();
        assertThat(config.altUp()).isEqualTo(new AltUpConfig(4, false));
        assertThat(read("'num_hidden_layers':4,'num_kv_shared_layers':0").layers())
                .allMatch(layer -> layer.sparsity() == 0 && layer.attention() == AttentionType.LOCAL);
    }

    @Test
    void aMultimodalConfigIsReadForItsText() throws CheckpointException {
        GemmaConfig config = HuggingFaceConfig.read(HuggingFaceConfigTest.parse("gemma3n", """
            'audio_config':{},'audio_soft_tokens_per_image':188,'audio_token_id':262273,'boa_token_id':256000,
            'eoa_token_id':262272,'eos_token_id':[1,106],'vision_config':{},'vision_soft_tokens_per_image':256,
            'text_config':{'model_type':'gemma3n_text','num_hidden_layers':20,'altup_coef_clip':120.0,
            'rope_scaling':null,'query_pre_attn_scalar':256,'altup_lr_multiplier':1.0}\
            """), null);
        assertThat(config.layers()).hasSize(20);
        assertThat(config.stopIds()).containsExactly(1, 106);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        'num_kv_shared_layers':35                 | num_kv_shared_layers: got 35, need 0 to 34
        'num_kv_shared_layers':32                 | num_kv_shared_layers: got 32, need a layer of each kind before those that share
        'intermediate_size':[1,2]                 | intermediate_size: got a list of 2, need as many entries as num_hidden_layers, 35
        'activation_sparsity_pattern':[0.5]       | activation_sparsity_pattern: got a list of 1, need as many entries as num_hidden_layers, 35
        'activation_sparsity_pattern':0.5         | activation_sparsity_pattern: got 0.5, need a list of numbers
        'num_hidden_layers':1,'num_kv_shared_layers':0,'activation_sparsity_pattern':[1] | sparsity: got 1.0, need 0 or more and less than 1
        'altup_active_idx':1                      | altup_active_idx: got 1, need 0
        'altup_num_inputs':1                      | streams: got 1, need 2 to 64
        'laurel_rank':-1                          | laurelRank: got -1, need 0 or more
        'hidden_activation':'silu'                | hidden_activation: got "silu", need gelu_pytorch_tanh
        'attention_bias':true                     | attention_bias: got true, need false
        """)
    void aKeyIsNamed(String keys, String problem) {
        assertThatThrownBy(() -> read(keys))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("config.json: " + problem);
    }

    @ParameterizedTest
    @CsvSource({
        "0.5, 0",
        "0.95, 1.6448536269514722",
        "0.999, 3.090232306167813",
        "0.01, -2.3263478740408408",
        "0.000001, -4.753424308822899"
    })
    void quantilesAreThoseOfTheNormalDistribution(double fraction, double value) {
        assertThat(NormalDistribution.quantile(fraction)).isCloseTo(value, within(1e-9));
    }

    static Stream<Arguments> traits() {
        return Stream.of(
                Arguments.of(Named.of("sparsity", config(Gemma3nTest::dense)), Named.of("as stored", same())),
                layer("laurel", w -> with(w, null, w.altUp())),
                layer(
                        "norm of laurel",
                        w -> with(
                                w,
                                new LaurelWeights(
                                        w.laurel().left(),
                                        w.laurel().right(),
                                        filled(w.laurel().norm(), 1)),
                                w.altUp())),
                altUp(
                        "router's norm",
                        a -> new AltUpWeights(
                                filled(a.routerNorm(), 1f / 64),
                                a.router(),
                                a.prediction(),
                                a.correction(),
                                a.outputScale())),
                altUp(
                        "prediction",
                        a -> new AltUpWeights(
                                a.routerNorm(),
                                a.router(),
                                filled(a.prediction(), 0),
                                a.correction(),
                                a.outputScale())),
                altUp(
                        "correction",
                        a -> new AltUpWeights(
                                a.routerNorm(),
                                a.router(),
                                a.prediction(),
                                filled(a.correction(), 0),
                                a.outputScale())),
                altUp(
                        "scale of the output",
                        a -> new AltUpWeights(a.routerNorm(), a.router(), a.prediction(), a.correction(), null)),
                weights(
                        "streams made of the embedding",
                        w -> new AltUpProjections(w.altUp().leave(), w.altUp().leave())),
                weights(
                        "streams read in the end",
                        w -> new AltUpProjections(w.altUp().enter(), w.altUp().enter())));
    }

    @ParameterizedTest
    @MethodSource("traits")
    void eachTraitBites(UnaryOperator<GemmaConfig> config, UnaryOperator<Weights> weights) throws IOException {
        assertThat(TraitsTest.worstDifferenceOf(GOLDEN, config, weights)).isGreaterThan(5 * Golden.F32_TOLERANCE);
    }

    private static GemmaConfig dense(GemmaConfig config) {
        return Configs.withLayers(
                config,
                l -> new LayerConfig(
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
                        l.keyValues(),
                        l.experts(),
                        l.scaledOutput(),
                        0,
                        0));
    }

    private static UnaryOperator<GemmaConfig> config(UnaryOperator<GemmaConfig> change) {
        return change;
    }

    private static <T> UnaryOperator<T> same() {
        return UnaryOperator.identity();
    }

    private static Arguments layer(String trait, UnaryOperator<LayerWeights> change) {
        UnaryOperator<Weights> all = w -> new Weights(
                w.embedding(),
                w.head(),
                w.finalNorm(),
                w.layers().stream().map(change).toList(),
                w.perLayer(),
                w.altUp());
        return Arguments.of(Named.of("as stored", Gemma3nTest.<GemmaConfig>same()), Named.of(trait, all));
    }

    private static Arguments altUp(String trait, UnaryOperator<AltUpWeights> change) {
        return layer(trait, w -> with(w, w.laurel(), change.apply(w.altUp())));
    }

    private static Arguments weights(String trait, Function<Weights, AltUpProjections> change) {
        UnaryOperator<Weights> all =
                w -> new Weights(w.embedding(), w.head(), w.finalNorm(), w.layers(), w.perLayer(), change.apply(w));
        return Arguments.of(Named.of("as stored", Gemma3nTest.<GemmaConfig>same()), Named.of(trait, all));
    }

    private static LayerWeights with(LayerWeights w, LaurelWeights laurel, AltUpWeights altUp) {
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
                laurel,
                altUp,
                w.crossAttention());
    }

    private static Matrix filled(Matrix like, float value) {
        Matrix filled = Matrix.allocate(Arena.ofAuto(), DataType.F32, like.rows(), like.cols());
        for (int i = 0; i < filled.rows() * filled.cols(); i++) {
            filled.data().setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
        return filled;
    }

    private static GemmaConfig read(@Nullable String keys) throws CheckpointException {
        return HuggingFaceConfig.read(HuggingFaceConfigTest.parse("gemma3n_text", keys), null);
    }
}
