package dev.lapidary.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.ConfigKeys;
import dev.lapidary.checkpoint.GgmlType;
import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.checkpoint.GgufTensorSpec;
import dev.lapidary.checkpoint.GgufWriter;
import dev.lapidary.checkpoint.WholeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What GGUF metadata says, and what it leaves to the architecture's name.
class GgufConfigTest {
    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path folder) {
        file = folder.resolve("m.gguf");
    }

    /// Written by the converter's rules, each published model says what its `config.json` says, its odd query scale
    /// included.
    @ParameterizedTest
    @CsvSource({
        "gemma-2b, gemma",
        "gemma-7b, gemma",
        "codegemma-7b-it, gemma",
        "gemma-2-2b-it, gemma2",
        "gemma-2-9b, gemma2",
        "gemma-2-27b, gemma2",
        "gemma-3-270m, gemma3",
        "gemma-3-1b-it, gemma3",
        "gemma-3-4b-it, gemma3",
        "gemma-3-12b-it, gemma3",
        "gemma-3-27b-it, gemma3",
        "embeddinggemma-300m, gemma-embedding"
    })
    void saysWhatTheJsonSays(String model, String architecture) throws IOException {
        GemmaConfig json =
                HuggingFaceConfig.read(ConfigKeys.read(Path.of("src/test/resources/configs", model + ".json")), null);
        GemmaConfig config = read(GgufCopy.keys(json, architecture, new GgufKeys()), json.vocab());
        assertThat(config)
                .usingRecursiveComparison()
                .ignoringFields("architecture", "normOffset", "stopIds")
                .isEqualTo(json);
        assertThat(config.architecture()).isEqualTo(architecture);
        assertThat(config.normOffset()).as("norms hold 1 + w").isZero();
        assertThat(config.stopIds()).containsExactly(1);
    }

    /// What `quantize` writes of each published model is the same model again, and nothing in it is unusual.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "gemma-2b",
                "gemma-7b",
                "codegemma-7b-it",
                "gemma-2-2b-it",
                "gemma-2-9b",
                "gemma-2-27b",
                "gemma-3-270m",
                "gemma-3-1b-it",
                "gemma-3-4b-it",
                "gemma-3-12b-it",
                "gemma-3-27b-it"
            })
    void whatIsWrittenOfAModelIsThatModel(String model) throws IOException {
        GemmaConfig json =
                HuggingFaceConfig.read(ConfigKeys.read(Path.of("src/test/resources/configs", model + ".json")), null);
        GgufKeys keys = new GgufKeys();
        assertThat(GgufConfigKeys.put(json, keys)).isEmpty();
        GemmaConfig config = read(keys, json.vocab());
        assertThat(config)
                .usingRecursiveComparison()
                .ignoringFields("architecture", "normOffset", "stopIds")
                .isEqualTo(json);
        assertThat(config.architecture()).isEqualTo(json.architecture().replace("_text", ""));

        Path again = file.resolveSibling("config.json");
        WholeFile.writeJson(again, HuggingFaceConfigKeys.of(json, "bfloat16", true));
        assertThat(HuggingFaceConfig.read(ConfigKeys.read(again), null))
                .usingRecursiveComparison()
                .ignoringFields("architecture", "stopIds")
                .isEqualTo(json);
    }

    @Test
    void scalingStopsAtLocalLayersOfGemma3() throws IOException {
        GemmaConfig config = read(gemma3().putString("gemma3.rope.scaling.type", "linear")
                .putFloat32("gemma3.rope.scaling.factor", 8)
                .putFloat32("gemma3.rope.freq_base", 1e6f));
        assertThat(config.layers().get(4).rope()).isEqualTo(new Rope(1e4, 1, 8));
        assertThat(config.layers().get(5).rope()).isEqualTo(new Rope(1e6, 8, 8));
    }

    @Test
    void localBaseAndPatternMayBeWritten() throws IOException {
        GemmaConfig config = read(gemma3().putFloat32("gemma3.rope.freq_base_swa", 2e4f)
                .putUint32("gemma3.attention.sliding_window_pattern", 3));
        assertThat(attention(config)).isEqualTo("LLGLLGL");
        assertThat(config.layers().getFirst().rope().theta()).isEqualTo(2e4);
        assertThat(attention(read(gemma3().putInts("gemma3.attention.sliding_window_pattern", 1, 0, 1, 0, 0, 0, 1))))
                .isEqualTo("LGLGGGL");
    }

    @Test
    void withoutAWindowNoLayerOfGemma3IsLocal() throws IOException {
        assertThat(attention(read(gemma3()))).isEqualTo("LLLLLGL");
        assertThat(attention(read(shape("gemma3")))).isEqualTo("GGGGGGG");
        assertThat(attention(read(shape("gemma2")))).isEqualTo("LGLGLGL");
        assertThat(read(shape("gemma2")).layers().getFirst().window()).isEqualTo(4096);
    }

    @Test
    void gemma2HasItsCapsWhereNobodyWroteThem() throws IOException {
        GemmaConfig config = read(shape("gemma2"));
        assertThat(config.finalSoftcap()).isEqualTo(30);
        assertThat(config.layers().getFirst().softcap()).isEqualTo(50);
    }

    @Test
    void stopsAtTheEndOfATurnToo() throws IOException {
        GemmaConfig config = read(gemma3().putUint32("tokenizer.ggml.eos_token_id", 1)
                .putUint32("tokenizer.ggml.eot_token_id", 106)
                .putUint32("tokenizer.ggml.bos_token_id", 5));
        assertThat(config.stopIds()).containsExactly(1, 106);
        assertThat(config.bosId()).isEqualTo(5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"llama", "gemma3n", "gemma4", "gemma-embedding2", "clip", "t5gemma"})
    void otherArchitecturesAreRefusedByName(String architecture) {
        assertRefused(
                new GgufKeys().putString("general.architecture", architecture),
                "general.architecture: got \"%s\", need one of gemma, gemma-embedding, gemma2, gemma3"
                        .formatted(architecture));
    }

    @Test
    void badValuesAreRefusedByKey() {
        assertRefused(new GgufKeys(), "general.architecture: got nothing, need a string");
        assertRefused(
                new GgufKeys().putString("general.architecture", "gemma3").putString("gemma3.embedding_length", "12"),
                "gemma3.embedding_length: got \"12\", need an integer");
        assertRefused(
                new GgufKeys()
                        .putString("general.architecture", "gemma3")
                        .putUint32("gemma3.embedding_length", 12)
                        .putUint32("gemma3.attention.layer_norm_rms_epsilon", 1),
                "gemma3.attention.layer_norm_rms_epsilon: got 1, need a finite floating-point number");
        assertRefused(
                gemma3().putUint32("gemma3.attention.value_length", 10),
                "gemma3.attention.value_length: got 10, need 8 as attention.key_length is");
        assertRefused(
                gemma3().putString("gemma3.rope.scaling.type", "yarn"),
                "gemma3.rope.scaling.type: got \"yarn\", need none or linear");
        assertRefused(
                gemma3().putUint32("gemma3.attention.sliding_window_pattern", 0),
                "gemma3.attention.sliding_window_pattern: got 0, need at least 1");
        assertRefused(
                gemma3().putInts("gemma3.attention.sliding_window_pattern", 1, 1),
                "gemma3.attention.sliding_window_pattern: got an array of 2 INT32, "
                        + "need one entry for each of 7 layers");
        assertRefused(
                gemma3().putUint32("gemma3.altup.num_inputs", 4),
                "gemma3.altup.num_inputs: got a key this version does not know, need one it does, "
                        + "since it may change the results");
    }

    @Test
    void absurdExtentsAreRefused() {
        assertRefused(shape("gemma3", 2_000_000_000, 4), "gemma3.block_count: got 2000000000, need 1 to 1024");
        assertRefused(shape("gemma3", 7, 0), "gemma3.attention.head_count: got 0, need at least 1");
        assertRefused(shape("gemma3", 7, 3), "kvHeads: got 2, need a divisor of 3 heads");
    }

    @Test
    void everyTokenHasARow() throws IOException {
        GgufKeys keys = gemma3().putStrings("tokenizer.ggml.tokens", List.of("a", "b", "c"));
        GgufTensorSpec table = new GgufTensorSpec("token_embd.weight", GgmlType.F32, List.of(2L, 0L));
        try (GgufWriter writer = GgufWriter.create(file, keys, List.of(table))) {
            writer.finish();
        }
        try (Checkpoint checkpoint = Checkpoint.open(file)) {
            assertThatExceptionOfType(CheckpointException.class)
                    .isThrownBy(() -> CheckpointConfig.read(checkpoint))
                    .withMessage(file + ": tokenizer.ggml.tokens: got an array of 3 STRING, need at most the 2 that "
                            + "token_embd.weight has rows for");
        }
    }

    private static GgufKeys gemma3() {
        return shape("gemma3").putUint32("gemma3.attention.sliding_window", 6);
    }

    private static GgufKeys shape(String architecture) {
        return shape(architecture, 7, 4);
    }

    private static GgufKeys shape(String architecture, int layers, int heads) {
        String prefix = architecture + ".";
        return new GgufKeys()
                .putString("general.architecture", architecture)
                .putUint32(prefix + "context_length", 4096)
                .putUint32(prefix + "embedding_length", 12)
                .putUint32(prefix + "block_count", layers)
                .putUint32(prefix + "feed_forward_length", 20)
                .putUint32(prefix + "attention.head_count", heads)
                .putUint32(prefix + "attention.head_count_kv", 2)
                .putUint32(prefix + "attention.key_length", 8)
                .putFloat32(prefix + "attention.layer_norm_rms_epsilon", 1e-6f);
    }

    private static String attention(GemmaConfig config) {
        return String.join(
                "",
                config.layers().stream()
                        .map(layer -> layer.attention().name().substring(0, 1))
                        .toList());
    }

    private GemmaConfig read(GgufKeys keys) throws IOException {
        return read(keys, 100);
    }

    private GemmaConfig read(GgufKeys keys, int vocab) throws IOException {
        try (GgufWriter writer = GgufWriter.create(file, keys, List.of())) {
            writer.finish();
        }
        return GgufConfig.read(GgufMetadata.read(file), vocab);
    }

    private void assertRefused(GgufKeys keys, String problem) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> read(keys))
                .withMessage(file + ": " + problem);
    }
}
