package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.CheckpointException;
import org.junit.jupiter.api.Test;

/// What the keys of RecurrentGemma mean, and what their absence means.
class RecurrentGemmaConfigTest {
    @Test
    void absentKeysHaveTheReferencesDefaults() throws CheckpointException {
        GemmaConfig config = read("");
        assertThat(config.vocab()).isEqualTo(256000);
        assertThat(config.embedding()).isEqualTo(2560);
        assertThat(config.embeddingScale()).as("sqrt(2560) in BF16").isEqualTo(50.5f);
        assertThat(config.finalSoftcap()).isEqualTo(30);
        assertThat(config.normOffset()).isEqualTo(1);
        assertThat(config.tiedHead()).isTrue();
        assertThat(config.stopIds()).containsExactly(1);
        assertThat(config.layers()).hasSize(26);
        LayerConfig attention = config.layers().get(2);
        assertThat(attention)
                .isEqualTo(new LayerConfig(
                        AttentionType.LOCAL,
                        2049,
                        new Rope(1e4, 1, 128),
                        10,
                        10,
                        256,
                        1 / 16f,
                        0,
                        false,
                        false,
                        3840,
                        0,
                        true));
        LayerConfig recurrent = config.layers().getFirst();
        assertThat(recurrent.attention()).isEqualTo(AttentionType.RECURRENT);
        assertThat(recurrent.queryCols()).isEqualTo(2560);
        assertThat(recurrent.inputCols()).isEqualTo(5120);
        assertThat(recurrent.kvCols()).isZero();
        assertThat(recurrent.headDim()).isEqualTo(256);
        assertThat(recurrent.convolution()).isEqualTo(4);
    }

    @Test
    void everyThirdLayerAttends() throws CheckpointException {
        assertThat(read("'num_hidden_layers':8").layers().stream().map(LayerConfig::attention))
                .containsExactly(
                        AttentionType.RECURRENT,
                        AttentionType.RECURRENT,
                        AttentionType.LOCAL,
                        AttentionType.RECURRENT,
                        AttentionType.RECURRENT,
                        AttentionType.LOCAL,
                        AttentionType.RECURRENT,
                        AttentionType.RECURRENT);
    }

    @Test
    void everyKeyCounts() throws CheckpointException {
        GemmaConfig config = read("""
            'vocab_size':100,'hidden_size':64,'lru_width':96,'intermediate_size':128,'num_hidden_layers':2,
            'block_types':['attention','recurrent'],'num_attention_heads':4,'num_key_value_heads':2,'head_dim':32,
            'attention_window_size':7,'conv1d_width':3,'logits_soft_cap':20,'rms_norm_eps':1e-5,'rope_theta':5e3,
            'partial_rotary_factor':0.25,'bos_token_id':5,'eos_token_id':[7,8],'tie_word_embeddings':false\
            """);
        assertThat(config.vocab()).isEqualTo(100);
        assertThat(config.embedding()).isEqualTo(64);
        assertThat(config.embeddingScale()).isEqualTo(8);
        assertThat(config.finalSoftcap()).isEqualTo(20);
        assertThat(config.normEpsilon()).isEqualTo(1e-5f);
        assertThat(config.bosId()).isEqualTo(5);
        assertThat(config.stopIds()).containsExactly(7, 8);
        assertThat(config.tiedHead()).isFalse();
        LayerConfig attention = config.layers().getFirst();
        assertThat(attention.window()).isEqualTo(8);
        assertThat(attention.rope()).isEqualTo(new Rope(5e3, 1, 8));
        assertThat(attention.kvHeads()).isEqualTo(2);
        assertThat(attention.neurons()).isEqualTo(64);
        LayerConfig recurrent = config.layers().getLast();
        assertThat(recurrent.queryCols()).isEqualTo(96);
        assertThat(recurrent.headDim()).isEqualTo(24);
        assertThat(recurrent.convolution()).isEqualTo(3);
        assertThat(read("'logits_soft_cap':null").finalSoftcap()).isZero();
        String nested = "'rope_parameters':{'rope_type':'default','rope_theta':5e3,'partial_rotary_factor':0.25}";
        assertThat(read(nested).layers().get(2).rope()).isEqualTo(new Rope(5e3, 1, 64));
    }

    private static GemmaConfig read(String keys) throws CheckpointException {
        return HuggingFaceConfig.read(HuggingFaceConfigTest.parse("recurrent_gemma", keys), null);
    }
}
