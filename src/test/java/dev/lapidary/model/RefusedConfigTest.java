package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Every config that would run wrongly is refused instead, by the name of the key.
class RefusedConfigTest {
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        gemma       | 'attention_bias':true                           | attention_bias: got true, need false
        gemma2      | 'use_bidirectional_attention':true              | use_bidirectional_attention: got true, need false
        gemma       | 'hidden_activation':'gelu'                      | hidden_activation: got "gelu", need gelu_pytorch_tanh
        gemma       | 'hidden_act':'silu'                             | hidden_act: got "silu", need gelu_pytorch_tanh
        gemma2      | 'hidden_act':'gelu'                             | hidden_act: got "gelu", need gelu_pytorch_tanh
        gemma3_text | 'hidden_activation':'relu'                      | hidden_activation: got "relu", need gelu_pytorch_tanh
        gemma2      | 'sliding_window':16,'sliding_window_size':17    | sliding_window_size: got 17, need 16 as sliding_window says
        gemma3_text | 'rope_scaling':{'rope_type':'yarn','factor':2}  | rope_scaling.rope_type: got "yarn", need default or linear
        gemma2      | 'rope_scaling':{'type':'dynamic','factor':2}    | rope_scaling.type: got "dynamic", need default or linear
        gemma3_text | 'rope_scaling':{'rope_type':'linear'}           | rope_scaling.factor: got nothing, need a finite number
        gemma3_text | 'rope_scaling':8                                | rope_scaling: got 8, need an object
        gemma2      | 'rope_parameters':{'rope_type':'llama3'}        | rope_parameters.rope_type: got "llama3", need default or linear
        gemma3_text | 'rope_parameters':{'sliding_attention':{}}      | rope_parameters.full_attention: got nothing, need an object
        gemma3_text | 'layer_types':['chunked_attention']             | layer_types: got a list of 1, need sliding_attention or full_attention
        gemma3_text | 'layer_types':['full_attention']                | layer_types: got a list of 1, need as many entries as num_hidden_layers, 26
        gemma       | 'num_hidden_layers':1,'layer_types':['sliding_attention'] | layer_types: got a list of 1, need full_attention alone in gemma
        gemma3_text | 'num_hidden_layers':0                           | num_hidden_layers: got 0, need 1 to 1024
        gemma3_text | 'num_hidden_layers':2000000000                  | num_hidden_layers: got 2000000000, need 1 to 1024
        gemma3_text | 'sliding_window_pattern':0                      | sliding_window_pattern: got 0, need at least 1
        gemma3_text | '_sliding_window_pattern':-1                    | _sliding_window_pattern: got -1, need at least 1
        gemma3_text | 'head_dim':'wide'                               | head_dim: got "wide", need an integer
        recurrent_gemma | 'attention_bias':true                       | attention_bias: got true, need false
        recurrent_gemma | 'embeddings_scale_by_sqrt_dim':false        | embeddings_scale_by_sqrt_dim: got false, need true
        recurrent_gemma | 'hidden_activation':'gelu'                  | hidden_activation: got "gelu", need gelu_pytorch_tanh
        recurrent_gemma | 'block_types':['recurrent','global']        | block_types: got a list of 2, need recurrent or attention
        recurrent_gemma | 'block_types':[]                            | block_types: got a list of 0, need at least one entry
        recurrent_gemma | '_block_types':['attention']                | _block_types: got a list of 1, need [recurrent, recurrent, attention] as block_types says
        recurrent_gemma | 'lru_width':2561                            | lru_width: got 2561, need a multiple of 10 heads
        recurrent_gemma | 'conv1d_width':0                            | conv1d_width: got 0, need at least 1
        recurrent_gemma | 'intermediate_size':7                       | intermediate_size: got 7, need an even number
        recurrent_gemma | 'attention_window_size':0                   | attention_window_size: got 0, need at least 1
        recurrent_gemma | 'partial_rotary_factor':1.5                 | partial_rotary_factor: got 1.5, need above 0 and at most 1
        recurrent_gemma | 'num_hidden_layers':0                       | num_hidden_layers: got 0, need 1 to 1024
        recurrent_gemma | 'rope_parameters':{'rope_type':'linear'}    | rope_parameters.rope_type: got "linear", need default
        recurrent_gemma | 'scan_type':2                               | scan_type: got a key this version does not know, need one it does, since it may change the results
        t5gemma     | 'decoder':{}                                    | encoder: got nothing, need an object
        t5gemma     | 'encoder':{}                                    | decoder: got nothing, need an object
        t5gemma     | 'encoder':{},'decoder':{},'is_encoder_decoder':false | is_encoder_decoder: got false, need true
        t5gemma     | 'encoder':{},'decoder':{'cross_attention_hidden_size':64} | decoder.cross_attention_hidden_size: got 64, need 2304 as encoder.hidden_size says
        t5gemma     | 'encoder':{'attention_bias':true},'decoder':{}  | encoder.attention_bias: got true, need false
        t5gemma     | 'encoder':{'use_bidirectional_attention':true},'decoder':{} | encoder.use_bidirectional_attention: got true, need false
        gemma3_text | 'hidden_size':1.5                               | hidden_size: got 1.5, need an integer from -2147483648 to 2147483647
        """)
    void aKeyIsNamed(String modelType, String keys, String problem) throws CheckpointException {
        assertRefused(modelType, keys, "config.json: " + problem);
    }

    /// Values that no key alone makes wrong, refused where the traits meet.
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        gemma       | 'num_attention_heads':8,'num_key_value_heads':3 | kvHeads: got 3, need a divisor of 8 heads
        gemma       | 'num_attention_heads':0                         | heads: got 0, need a positive number
        gemma       | 'num_key_value_heads':0                         | kvHeads: got 0, need a divisor of 16 heads
        gemma       | 'head_dim':7                                    | rope: got theta 10000.0, factor 1.0, 7 dims, need positive numbers and even dims
        gemma       | 'head_dim':1073741824                           | headDim: got 1073741824, need few enough elements for 16 heads
        gemma       | 'intermediate_size':-4                          | neurons: got -4, need a positive number
        gemma2      | 'sliding_window':-1                             | window: got -1, need 0 for GLOBAL and a positive number for LOCAL
        gemma2      | 'query_pre_attn_scalar':0                       | queryScale: got Infinity, need a positive number
        gemma2      | 'query_pre_attn_scalar':-144                    | queryScale: got NaN, need a positive number
        gemma2      | 'attn_logit_softcapping':-50                    | softcap: got -50.0, need 0 or a positive number
        gemma2      | 'final_logit_softcapping':-30                   | finalSoftcap: got -30.0, need 0 or a positive number
        gemma2      | 'final_logit_softcapping':1e300                 | finalSoftcap: got Infinity, need 0 or a positive number
        gemma       | 'rms_norm_eps':-1                               | normEpsilon: got -1.0, need 0 or more
        gemma       | 'rope_theta':0                                  | rope: got theta 0.0, factor 1.0, 256 dims, need positive numbers and even dims
        gemma       | 'vocab_size':0                                  | config: got vocab 0, embedding 3072, 28 layers, 8192 positions, need all positive
        """)
    void aTraitIsNamed(String modelType, String keys, String problem) throws CheckpointException {
        assertRefused(modelType, keys, "config.json: " + problem);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        gemma       | 'num_experts':8                                    | num_experts
        gemma       | 'sliding_window':4096                              | sliding_window
        gemma       | 'query_pre_attn_scalar':144                        | query_pre_attn_scalar
        gemma       | 'attn_logit_softcapping':50                        | attn_logit_softcapping
        gemma2      | 'sliding_window_pattern':3                         | sliding_window_pattern
        gemma2      | 'rope_local_base_freq':1e4                         | rope_local_base_freq
        gemma3_text | 'quantization_config':{'bits':4}                   | quantization_config
        gemma3_text | 'rope_scaling':{'rope_type':'default','factor':8}  | rope_scaling.factor
        gemma3_text | 'rope_parameters':{'full_attention':{'partial_rotary_factor':0.5}} | rope_parameters.full_attention.partial_rotary_factor
        t5gemma     | 'encoder':{'num_experts':8},'decoder':{}           | encoder.num_experts
        t5gemma     | 'encoder':{},'decoder':{'sliding_window_pattern':3} | decoder.sliding_window_pattern
        gemma2      | 'cross_attention_hidden_size':64                   | cross_attention_hidden_size
        gemma2      | 'is_encoder_decoder':true                          | is_encoder_decoder
        gemma3      | 'text_config':{'attention_k_eq_v':true}            | text_config.attention_k_eq_v
        gemma3      | 'audio_config':{},'text_config':{}                 | audio_config
        """)
    void aKeyThatMayChangeTheResultsIsRefused(String modelType, String keys, String key) throws CheckpointException {
        assertRefused(
                modelType,
                keys,
                "config.json: %s: got a key this version does not know, need one it does, since it may change the results"
                        .formatted(key));
    }

    @Test
    void anUnknownModelTypeIsRefusedWithTheOnesThereAre() throws CheckpointException {
        ConfigKeys config = HuggingFaceConfigTest.parse("llama", "");
        assertThatThrownBy(() -> HuggingFaceConfig.read(config, null))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("config.json: model_type: got \"llama\", need one of gemma, gemma2, gemma3, gemma3_text,"
                        + " paligemma, recurrent_gemma, shieldgemma2, t5gemma");
    }

    @Test
    void aConfigWithoutModelTypeIsRefused() throws CheckpointException {
        ConfigKeys config = ConfigKeys.parse("config.json", "{}");
        assertThatThrownBy(() -> HuggingFaceConfig.read(config, null))
                .isInstanceOf(CheckpointException.class)
                .hasMessage("config.json: model_type: got nothing, need a string");
    }

    @Test
    void aMultimodalConfigNeedsItsTextPart() throws CheckpointException {
        assertRefused("gemma3", "", "config.json: text_config: got nothing, need an object");
    }

    @Test
    void keysWithoutArithmeticAreLeftAlone() throws CheckpointException {
        String keys =
                "'use_cache':false,'vision_config':{'anything':1},'torch_dtype':'float16','attention_dropout':0.1";
        assertThat(HuggingFaceConfig.read(HuggingFaceConfigTest.parse("gemma3_text", keys), null))
                .isEqualTo(HuggingFaceConfig.read(HuggingFaceConfigTest.parse("gemma3_text", ""), null));
    }

    private static void assertRefused(String modelType, String keys, String message) throws CheckpointException {
        ConfigKeys config = HuggingFaceConfigTest.parse(modelType, keys);
        assertThatThrownBy(() -> HuggingFaceConfig.read(config, null))
                .isInstanceOf(CheckpointException.class)
                .hasMessage(message);
    }
}
