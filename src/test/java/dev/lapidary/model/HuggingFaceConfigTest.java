package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What `config.json` says, in each way that Gemma checkpoints say it.
class HuggingFaceConfigTest {
    /// The files are the hub's own, multimodal ones with most keys left out; the numbers are those of the papers.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        # file           | vocab  | width | neurons | layers | heads | kv | dim | scalar | positions | eos
        gemma-2b         | 256000 | 2048  | 16384   | 18     | 8     | 1  | 256 | 256    | 8192      | 1
        gemma-7b         | 256000 | 3072  | 24576   | 28     | 16    | 16 | 256 | 256    | 8192      | 1
        codegemma-7b-it  | 256000 | 3072  | 24576   | 28     | 16    | 16 | 256 | 256    | 8192      | 1
        gemma-2-2b-it    | 256000 | 2304  | 9216    | 26     | 8     | 4  | 256 | 256    | 8192      | 1,107
        gemma-2-9b       | 256000 | 3584  | 14336   | 42     | 16    | 8  | 256 | 256    | 8192      | 1
        gemma-2-27b      | 256000 | 4608  | 36864   | 46     | 32    | 16 | 128 | 144    | 8192      | 1
        gemma-3-270m     | 262144 | 640   | 2048    | 18     | 4     | 1  | 256 | 256    | 32768     | 1
        gemma-3-1b-it    | 262144 | 1152  | 6912    | 26     | 4     | 1  | 256 | 256    | 32768     | 1,106
        gemma-3-4b-it    | 262208 | 2560  | 10240   | 34     | 8     | 4  | 256 | 256    | 131072    | 1,106
        gemma-3-12b-it   | 262208 | 3840  | 15360   | 48     | 16    | 8  | 256 | 256    | 131072    | 1,106
        gemma-3-27b-it   | 262208 | 5376  | 21504   | 62     | 32    | 16 | 128 | 168    | 131072    | 1,106
        """)
    void everyPublishedSizeIsRead(
            String file,
            int vocab,
            int width,
            int neurons,
            int layers,
            int heads,
            int kvHeads,
            int headDim,
            int scalar,
            int positions,
            String eos)
            throws CheckpointException {
        GemmaConfig config = published(file);
        assertThat(config.vocab()).isEqualTo(vocab);
        assertThat(config.embedding()).isEqualTo(width);
        assertThat(config.embeddingScale()).isEqualTo((float) Math.sqrt(width));
        assertThat(config.normEpsilon()).isEqualTo(1e-6f);
        assertThat(config.normOffset()).isEqualTo(1);
        assertThat(config.tiedHead()).isTrue();
        assertThat(config.maxPositions()).isEqualTo(positions);
        assertThat(config.bosId()).isEqualTo(2);
        assertThat(config.stopIds().stream().map(String::valueOf)).containsExactly(eos.split(",", -1));
        assertThat(config.layers()).hasSize(layers).allSatisfy(layer -> {
            assertThat(layer.heads()).isEqualTo(heads);
            assertThat(layer.kvHeads()).isEqualTo(kvHeads);
            assertThat(layer.headDim()).isEqualTo(headDim);
            assertThat(layer.neurons()).isEqualTo(neurons);
            assertThat(layer.queryScale()).isEqualTo((float) (1 / Math.sqrt(scalar)));
            assertThat(layer.rope().dims()).isEqualTo(headDim);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma-2b", "gemma-7b", "codegemma-7b-it"})
    void gemma1SeesEverythingEverywhere(String file) throws CheckpointException {
        GemmaConfig config = published(file);
        assertThat(config.finalSoftcap()).isZero();
        assertThat(config.layers()).allSatisfy(layer -> {
            assertTraits(layer, AttentionType.GLOBAL, 0, 1e4, 1);
            assertThat(layer.softcap()).isZero();
            assertThat(layer.queryKeyNorm()).isFalse();
            assertThat(layer.postNorms()).isFalse();
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"gemma-2-2b-it", "gemma-2-9b", "gemma-2-27b"})
    void gemma2AlternatesFromALocalLayerOnAndCaps(String file) throws CheckpointException {
        GemmaConfig config = published(file);
        assertThat(config.finalSoftcap()).isEqualTo(30);
        for (int i = 0; i < config.layers().size(); i++) {
            LayerConfig layer = config.layers().get(i);
            boolean local = i % 2 == 0;
            assertTraits(layer, local ? AttentionType.LOCAL : AttentionType.GLOBAL, local ? 4096 : 0, 1e4, 1);
            assertThat(layer.softcap()).isEqualTo(50);
            assertThat(layer.queryKeyNorm()).isFalse();
            assertThat(layer.postNorms()).isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({
        "gemma-3-270m, 512, 1",
        "gemma-3-1b-it, 512, 1",
        "gemma-3-4b-it, 1024, 8",
        "gemma-3-12b-it, 1024, 8",
        "gemma-3-27b-it, 1024, 8"
    })
    void gemma3HasEverySixthLayerGlobalWithItsOwnRope(String file, int window, double factor)
            throws CheckpointException {
        GemmaConfig config = published(file);
        assertThat(config.finalSoftcap()).isZero();
        for (int i = 0; i < config.layers().size(); i++) {
            LayerConfig layer = config.layers().get(i);
            if ((i + 1) % 6 == 0) {
                assertTraits(layer, AttentionType.GLOBAL, 0, 1e6, factor);
            } else {
                assertTraits(layer, AttentionType.LOCAL, window, 1e4, 1);
            }
            assertThat(layer.softcap()).isZero();
            assertThat(layer.queryKeyNorm()).isTrue();
            assertThat(layer.postNorms()).isTrue();
        }
    }

    @Test
    void ropeParametersSayTheSameAsTheOlderKeys() throws CheckpointException {
        String older = "'rope_theta':5e5,'rope_local_base_freq':2e4,'rope_scaling':{'rope_type':'linear','factor':4}";
        String newer = """
            'rope_parameters':{
                'full_attention':{'rope_type':'linear','factor':4,'rope_theta':5e5},
                'sliding_attention':{'rope_type':'default','rope_theta':2e4}}\
            """;
        GemmaConfig config = read("gemma3_text", older);
        assertThat(read("gemma3_text", newer)).isEqualTo(config);
        assertThat(config.layers().get(5).rope()).isEqualTo(new Rope(5e5, 4, 256));
        assertThat(config.layers().get(0).rope()).isEqualTo(new Rope(2e4, 1, 256));
    }

    @Test
    void ropeParametersOfModelsWithOneRopeAreFlat() throws CheckpointException {
        String newer = "'rope_parameters':{'rope_type':'default','rope_theta':12345}";
        assertThat(read("gemma", newer)).isEqualTo(read("gemma", "'rope_theta':12345"));
        assertThat(read("gemma2", newer)).isEqualTo(read("gemma2", "'rope_theta':12345"));
        assertThat(read("gemma2", newer).layers().get(0).rope()).isEqualTo(new Rope(12345, 1, 256));
    }

    @Test
    void scalingReachesEveryLayerWhereAllShareOneBase() throws CheckpointException {
        GemmaConfig config = read("gemma2", "'rope_scaling':{'type':'linear','factor':2}");
        assertThat(config.layers())
                .allSatisfy(layer -> assertThat(layer.rope().factor()).isEqualTo(2));
        assertThat(read("gemma2", "'rope_parameters':{'rope_theta':1e4,'rope_type':'linear','factor':2}"))
                .isEqualTo(config);
    }

    @Test
    void layerTypesSayTheSameAsThePattern() throws CheckpointException {
        List<String> types = new ArrayList<>();
        for (int i = 1; i <= 10; i++) {
            types.add(i % 3 == 0 ? "'full_attention'" : "'sliding_attention'");
        }
        GemmaConfig byPattern = read("gemma3_text", "'num_hidden_layers':10,'sliding_window_pattern':3");
        assertThat(read("gemma3_text", "'num_hidden_layers':10,'_sliding_window_pattern':3"))
                .isEqualTo(byPattern);
        assertThat(read("gemma3_text", "'num_hidden_layers':10,'layer_types':" + types))
                .isEqualTo(byPattern);
        assertThat(byPattern.layers().get(2).attention()).isEqualTo(AttentionType.GLOBAL);
        assertThat(byPattern.layers().get(9).attention()).isEqualTo(AttentionType.LOCAL);
    }

    @Test
    void layerTypesWinOverThePattern() throws CheckpointException {
        GemmaConfig config = read(
                "gemma3_text",
                "'num_hidden_layers':2,'sliding_window_pattern':6,'layer_types':['full_attention','sliding_attention']");
        assertThat(config.layers().getFirst().attention()).isEqualTo(AttentionType.GLOBAL);
        assertThat(config.layers().getLast().attention()).isEqualTo(AttentionType.LOCAL);
    }

    @Test
    void anExplicitNullSwitchesASoftcapOffAndAnAbsentKeyHasTheDefault() throws CheckpointException {
        GemmaConfig off = read("gemma2", "'attn_logit_softcapping':null,'final_logit_softcapping':null");
        assertThat(off.finalSoftcap()).isZero();
        assertThat(off.layers().getFirst().softcap()).isZero();
        GemmaConfig absent = read("gemma2", "");
        assertThat(absent.finalSoftcap()).isEqualTo(30);
        assertThat(absent.layers().getFirst().softcap()).isEqualTo(50);
        GemmaConfig other = read("gemma3_text", "'attn_logit_softcapping':20,'final_logit_softcapping':10");
        assertThat(other.finalSoftcap()).isEqualTo(10);
        assertThat(other.layers().getFirst().softcap()).isEqualTo(20);
    }

    @Test
    void geluOfTheFirstConfigsIsTheTanhForm() throws CheckpointException {
        assertThat(read("gemma", "'hidden_act':'gelu'")).isEqualTo(read("gemma", ""));
        assertThat(read("gemma", "'hidden_act':'gelu','hidden_activation':null"))
                .isEqualTo(read("gemma", ""));
    }

    @Test
    void stopIdsAreTheUnionOfBothFiles() throws CheckpointException {
        ConfigKeys generation =
                ConfigKeys.parse("generation_config.json", "{\"eos_token_id\":[1,106],\"temperature\":1.0}");
        assertThat(HuggingFaceConfig.read(parse("gemma3_text", "'eos_token_id':1"), generation)
                        .stopIds())
                .containsExactly(1, 106);
        assertThat(HuggingFaceConfig.read(parse("gemma3", "'eos_token_id':107,'text_config':{'eos_token_id':7}"), null)
                        .stopIds())
                .containsExactly(7, 107);
        assertThat(HuggingFaceConfig.read(parse("gemma", ""), ConfigKeys.parse("generation_config.json", "{}"))
                        .stopIds())
                .containsExactly(1);
    }

    @Test
    void aMultimodalConfigMayUntieTheHeadInEitherPlace() throws CheckpointException {
        assertThat(read("gemma3", "'tie_word_embeddings':false,'text_config':{}")
                        .tiedHead())
                .isFalse();
        assertThat(read("gemma3", "'text_config':{'tie_word_embeddings':false}").tiedHead())
                .isFalse();
        assertThat(read("gemma3", "'text_config':{}").tiedHead()).isTrue();
    }

    private static void assertTraits(
            LayerConfig layer, AttentionType attention, int window, double theta, double factor) {
        assertThat(layer.attention()).isEqualTo(attention);
        assertThat(layer.window()).isEqualTo(window);
        assertThat(layer.rope().theta()).isEqualTo(theta);
        assertThat(layer.rope().factor()).isEqualTo(factor);
    }

    private static GemmaConfig published(String name) throws CheckpointException {
        Path file = Path.of("src/test/resources/configs", name + ".json");
        return HuggingFaceConfig.read(ConfigKeys.read(file), null);
    }

    private static GemmaConfig read(String modelType, String keys) throws CheckpointException {
        return HuggingFaceConfig.read(parse(modelType, keys), null);
    }

    /// A config of that type and those keys, in which single quotes stand for double ones.
    static ConfigKeys parse(String modelType, @Nullable String keys) throws CheckpointException {
        String rest = keys == null || keys.isEmpty() ? "" : "," + keys;
        return ConfigKeys.parse(
                "config.json",
                "{'model_type':'%s'%s}".formatted(modelType, rest).replace('\'', '"'));
    }
}
