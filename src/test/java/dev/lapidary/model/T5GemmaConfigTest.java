package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.lapidary.Gemma;
import dev.lapidary.Options;
import dev.lapidary.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The two halves of T5Gemma's config, and files that do not have what it says.
class T5GemmaConfigTest {
    private static final EncoderGolden GOLDEN = EncoderGolden.official();

    @TempDir
    private Path folder = Path.of("");

    @Test
    void absentKeysHaveGemma2sDefaultsInBothHalves() throws CheckpointException {
        T5GemmaConfig both = read("'encoder':{},'decoder':{}");
        assertThat(both.decoder().layers()).hasSize(26);
        assertThat(both.decoder().layers().get(0))
                .isEqualTo(new LayerConfig(
                                AttentionType.LOCAL,
                                4096,
                                new Rope(1e4, 1, 256),
                                8,
                                4,
                                256,
                                1 / 16f,
                                50,
                                false,
                                true,
                                9216,
                                0,
                                false)
                        .attendingTo(2304));
        assertThat(both.encoder().layers().get(0))
                .isEqualTo(both.decoder().layers().get(0).seeingBothWays());
        assertThat(both.encoder().layers().get(1).attention()).isEqualTo(AttentionType.GLOBAL);
        assertThat(both.encoder().bidirectional()).isTrue();
        assertThat(both.decoder().bidirectional()).isFalse();
        assertThat(both.decoder().finalSoftcap()).isEqualTo(30);
    }

    @Test
    void eachHalfHasItsOwnExtents() throws CheckpointException {
        T5GemmaConfig both = read("'encoder':{'hidden_size':3584,'num_hidden_layers':42,'sliding_window':9},"
                + "'decoder':{'num_hidden_layers':3,'eos_token_id':[1,107],'vocab_size':99,"
                + "'cross_attention_hidden_size':3584}");
        assertThat(both.encoder().embedding()).isEqualTo(3584);
        assertThat(both.encoder().layers()).hasSize(42);
        assertThat(both.encoder().layers().getFirst().window()).isEqualTo(9);
        assertThat(both.encoder().encoderWidth()).isZero();
        assertThat(both.decoder().embedding()).isEqualTo(2304);
        assertThat(both.decoder().layers()).hasSize(3);
        assertThat(both.decoder().encoderWidth()).isEqualTo(3584);
        assertThat(both.decoder().stopIds()).isEqualTo(List.of(1, 107));
        assertThat(both.decoder().vocab()).isEqualTo(99);
        assertThat(both.encoder().vocab()).isEqualTo(256000);
    }

    @Test
    void anotherModelHasNoEncoder() throws CheckpointException {
        assertThat(HuggingFaceConfig.readEncoder(HuggingFaceConfigTest.parse("gemma2", "")))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        encoder | num_hidden_layers | 3  | got 11 tensors that a t5gemma model with 3 layers does not have: model.encoder.layers.3.mlp.down_proj.weight
        encoder | num_hidden_layers | 5  | layer_types: got a list of 4, need as many entries as num_hidden_layers, 5
        decoder | intermediate_size | 96 | model.decoder.layers.0.mlp.gate_proj.weight is BF16 [80, 64], need shape [96, 64]
        encoder | intermediate_size | 96 | model.encoder.layers.0.mlp.gate_proj.weight is BF16 [80, 64], need shape [96, 64]
        encoder | hidden_size       | 32 | decoder.cross_attention_hidden_size: got 64, need 32 as encoder.hidden_size says
        decoder | tie_word_embeddings | false | tensor lm_head.out_proj.weight is missing, need it with shape [256, 64]
        """)
    void aFileThatDoesNotFitIsRefused(String half, String key, String value, String message) throws IOException {
        Files.copy(GOLDEN.folder().resolve("model.safetensors"), folder.resolve("model.safetensors"));
        JsonObject config = JsonParser.parseString(
                        Files.readString(GOLDEN.folder().resolve("config.json")))
                .getAsJsonObject();
        JsonObject changed = config.getAsJsonObject(half);
        changed.add(key, JsonParser.parseString(value));
        if (value.equals("3")) {
            changed.getAsJsonArray("layer_types").remove(3);
        }
        Files.writeString(folder.resolve("config.json"), config.toString());
        assertThatThrownBy(() -> Gemma.open(folder, Options.defaults().withThreads(1)))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(message);
    }

    private static T5GemmaConfig read(String keys) throws CheckpointException {
        return T5GemmaConfig.read(HuggingFaceConfigTest.parse(T5GemmaConfig.MODEL_TYPE, keys), null);
    }
}
