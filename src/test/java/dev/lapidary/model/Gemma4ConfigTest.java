package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.kernels.DataType;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the `config.json` of a Gemma 4 says, text alone and multimodal.
class Gemma4ConfigTest {
    private static final String MIXTURE =
            "'enable_moe_block':true,'num_experts':6,'top_k_experts':2,'moe_intermediate_size':24";

    @Test
    void absentKeysHaveTheReferencesDefaults() throws CheckpointException {
        GemmaConfig config = read("gemma4_text", "");
        assertThat(config.vocab()).isEqualTo(262144);
        assertThat(config.embeddingScale()).isEqualTo(48f);
        assertThat(config.normOffset()).isZero();
        assertThat(config.finalSoftcap()).isZero();
        assertThat(config.tiedHead()).isTrue();
        assertThat(config.stopIds()).containsExactly(1);
        assertThat(config.perLayer()).isEqualTo(new PerLayerConfig(262144, 256));
        assertThat(config.layers()).hasSize(30);
        KeyValues own = new KeyValues(KeyValues.OWN, false, true);
        Rope local = new Rope(1e4, 1, 256);
        Rope global = new Rope(1e6, 1, 512, 64);
        assertThat(config.layers().get(4))
                .isEqualTo(new LayerConfig(
                        AttentionType.LOCAL,
                        512,
                        local,
                        8,
                        4,
                        256,
                        1,
                        0,
                        true,
                        true,
                        9216,
                        0,
                        false,
                        false,
                        own,
                        null,
                        true,
                        0,
                        0));
        assertThat(config.layers().get(5))
                .isEqualTo(new LayerConfig(
                        AttentionType.GLOBAL,
                        0,
                        global,
                        8,
                        4,
                        512,
                        1,
                        0,
                        true,
                        true,
                        9216,
                        0,
                        false,
                        false,
                        own,
                        null,
                        true,
                        0,
                        0));
    }

    @Test
    void theLastLayersReadTheKeysOfTheLastOfTheirKindAndMayBeTwiceAsWide() throws CheckpointException {
        String keys = "'num_hidden_layers':12,'num_kv_shared_layers':5,'intermediate_size':100";
        List<LayerConfig> layers = read("gemma4_text", keys).layers();
        assertThat(layers.stream().map(layer -> layer.keyValues().source()))
                .containsExactly(-1, -1, -1, -1, -1, -1, -1, 6, 6, 6, 6, 5);
        assertThat(layers.get(8).keyValues()).isEqualTo(new KeyValues(6, false, false));
        assertThat(layers.get(8).inputCols()).isEqualTo(8 * 256);
        assertThat(layers.get(6).inputCols()).isEqualTo(16 * 256);
        assertThat(layers.get(8).neurons()).isEqualTo(100);
        List<LayerConfig> wide =
                read("gemma4_text", keys + ",'use_double_wide_mlp':true").layers();
        assertThat(wide.get(6).neurons()).isEqualTo(100);
        assertThat(wide.get(7).neurons()).isEqualTo(200);
        long six = KvCache.bytes(read("gemma4_text", "'num_hidden_layers':7"), 64, 64, DataType.F32);
        assertThat(KvCache.bytes(read("gemma4_text", keys), 64, 64, DataType.F32))
                .isEqualTo(six - 2L * 64 * 4 * 256 * Float.BYTES);
    }

    @Test
    void oneProjectionMayGiveKeysAndValuesOfGlobalLayers() throws CheckpointException {
        String keys = "'attention_k_eq_v':true,'num_global_key_value_heads':2,'num_key_value_heads':8";
        List<LayerConfig> layers = read("gemma4_text", keys).layers();
        assertThat(layers.get(4).kvHeads()).isEqualTo(8);
        assertThat(layers.get(4).keyValues().valueIsKey()).isFalse();
        assertThat(layers.get(5).kvHeads()).isEqualTo(2);
        assertThat(layers.get(5).keyValues()).isEqualTo(new KeyValues(KeyValues.OWN, true, true));
        assertThat(layers.get(5).inputCols()).isEqualTo(8 * 512 + 2 * 512);
        String ignored = "'num_global_key_value_heads':2,'num_key_value_heads':8";
        assertThat(read("gemma4_text", ignored).layers().get(5).kvHeads()).isEqualTo(8);
    }

    @Test
    void expertsAndNoPerLayerEmbedding() throws CheckpointException {
        GemmaConfig config = read("gemma4_text", MIXTURE + ",'hidden_size_per_layer_input':null");
        assertThat(config.perLayer()).isNull();
        assertThat(config.layers()).allMatch(layer -> new Experts(6, 2, 24).equals(layer.experts()));
        assertThat(read("gemma4_text", "'hidden_size_per_layer_input':0").perLayer())
                .isNull();
    }

    /// A multimodal file as published, its towers cut short: text runs, whatever they are.
    @Test
    void aMultimodalConfigIsReadForItsText() throws CheckpointException {
        GemmaConfig config = read("gemma4", """
            'architectures':['Gemma4ForConditionalGeneration'],'audio_config':{'model_type':'gemma4_audio'},
            'audio_token_id':258881,'boa_token_id':256000,'boi_token_id':255999,'dtype':'bfloat16',
            'eoa_token_id':258883,'eoa_token_index':258883,'eoi_token_id':258882,'eos_token_id':[1,106],
            'image_token_id':258880,'initializer_range':0.02,'tie_word_embeddings':true,
            'transformers_version':'5.5.0.dev0','video_token_id':258884,
            'vision_config':{'model_type':'gemma4_vision'},'vision_soft_tokens_per_image':280,
            'text_config':{'model_type':'gemma4_text','num_hidden_layers':6,'use_bidirectional_attention':'vision',
            'num_experts':null,'top_k_experts':null,'moe_intermediate_size':null,'attention_dropout':0.0,
            'rope_parameters':{
            'full_attention':{'partial_rotary_factor':0.5,'rope_theta':5e5,'rope_type':'proportional'},
            'sliding_attention':{'rope_theta':2e4,'rope_type':'default'}}}\
            """);
        assertThat(config.architecture()).isEqualTo("gemma4");
        assertThat(config.stopIds()).containsExactly(1, 106);
        assertThat(config.layers().get(0).rope()).isEqualTo(new Rope(2e4, 1, 256));
        assertThat(config.layers().get(5).rope()).isEqualTo(new Rope(5e5, 1, 512, 128));
    }

    @Test
    void pairsThatDoNotTurnHaveNoFrequency() {
        double[] frequencies = new Rope(1e6, 2, 8, 1).inverseFrequencies();
        assertThat(frequencies).containsExactly(0.5, 0, 0, 0);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        'num_hidden_layers':0                          | num_hidden_layers: got 0, need 1 to 1024
        'num_kv_shared_layers':30                      | num_kv_shared_layers: got 30, need 0 to 29
        'num_kv_shared_layers':27                      | num_kv_shared_layers: got 27, need a layer of each kind before those that share
        'attention_bias':true                          | attention_bias: got true, need false
        'hidden_activation':'silu'                     | hidden_activation: got "silu", need gelu_pytorch_tanh
        'use_bidirectional_attention':'all'            | use_bidirectional_attention: got "all", need vision or nothing
        'layer_types':['recurrent']                    | layer_types: got a list of 1, need sliding_attention or full_attention
        'layer_types':['full_attention']               | layer_types: got a list of 1, need as many entries as num_hidden_layers, 30
        'rope_parameters':{'rope_theta':1e6}           | rope_parameters.sliding_attention: got nothing, need an object
        'rope_parameters':{'sliding_attention':{'rope_type':'yarn'}} | rope_parameters.sliding_attention.rope_type: got "yarn", need default or proportional
        'rope_parameters':{'sliding_attention':{'partial_rotary_factor':0.5}} | rope_parameters.sliding_attention.partial_rotary_factor: got 0.5, need 1, or rope_type proportional
        'rope_parameters':{'sliding_attention':{'factor':8}} | rope_parameters.sliding_attention.factor: got 8, need 1, or rope_type proportional
        'rope_parameters':{'sliding_attention':{'rope_type':'proportional','partial_rotary_factor':2}} | rope_parameters.sliding_attention.partial_rotary_factor: got 2, need 0 to 1
        'enable_moe_block':true                        | experts: got 0 of 0 with 0 neurons, need at least 1 of at most 4096 with at least 1
        'enable_moe_block':true,'num_experts':2,'top_k_experts':3,'moe_intermediate_size':8 | experts: got 3 of 2 with 8 neurons, need at least 1 of at most 4096 with at least 1
        'hidden_size_per_layer_input':-1               | per-layer embedding: got [262144, layers * -1], need both positive
        'per_layer_config':{}                          | per_layer_config: got a key this version does not know, need one it does, since it may change the results
        """)
    void aKeyIsNamed(String keys, String problem) {
        assertThatThrownBy(() -> read("gemma4_text", keys))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("config.json: " + problem);
    }

    @Test
    void keysOfALaterLayerAreRefused() throws CheckpointException {
        GemmaConfig config = read("gemma4_text", "'num_hidden_layers':6");
        LayerConfig global = config.layers().getLast();
        LayerConfig shared = new LayerConfig(
                global.attention(),
                global.window(),
                global.rope(),
                global.heads(),
                global.kvHeads(),
                global.headDim(),
                1,
                0,
                true,
                true,
                global.neurons(),
                0,
                false,
                false,
                new KeyValues(1, false, false),
                null,
                true,
                0,
                0);
        assertThatThrownBy(() -> Configs.withLayers(config, List.of(shared, global)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("layer 0: got keys and values of layer 1, need those of an earlier layer of its kind");
        assertThatThrownBy(() -> Configs.withLayers(
                        config, List.of(global, config.layers().getFirst(), shared)))
                .hasMessage("layer 2: got keys and values of layer 1, need those of an earlier layer of its kind");
    }

    private static GemmaConfig read(String modelType, @Nullable String keys) throws CheckpointException {
        return HuggingFaceConfig.read(HuggingFaceConfigTest.parse(modelType, keys), null);
    }
}
