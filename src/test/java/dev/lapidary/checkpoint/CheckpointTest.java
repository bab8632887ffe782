package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.lapidary.kernels.DataType;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointTest {
    @TempDir
    private Path folder = Path.of("");

    @Test
    void opensAnOracleCheckpointAndItsGolden() throws IOException, URISyntaxException {
        URI config = Objects.requireNonNull(getClass().getResource("/oracle/gemma1-mqa/config.json"))
                .toURI();
        Path oracle = Objects.requireNonNull(Path.of(config).getParent());
        try (Checkpoint checkpoint = Checkpoint.open(oracle);
                Arena arena = Arena.ofConfined()) {
            assertThat(checkpoint.path()).isEqualTo(oracle);
            assertThat(json(checkpoint).config().string("model_type")).isEqualTo("gemma");
            assertThat(json(checkpoint).config().intValue("hidden_size")).isEqualTo(64);
            assertThat(json(checkpoint).generationConfig()).isNull();
            assertThat(checkpoint.tensors()).hasSize(2 + 3 * 9);
            Tensor embedding = tensor(checkpoint, "model.embed_tokens.weight");
            assertThat(embedding.type()).isEqualTo(DataType.BF16);
            assertThat(embedding.shape()).containsExactly(256L, 64L);
            assertThat(embedding.data().byteSize()).isEqualTo(256 * 64 * 2);

            SafetensorsFile golden = SafetensorsFile.map(oracle.resolve("golden.safetensors"), arena);
            Tensor ids = Objects.requireNonNull(golden.tensors().get("prompt_ids"));
            assertThat(ids.storedType()).isEqualTo("I64");
            assertThat(ids.data().getAtIndex(ValueLayout.JAVA_LONG, 0)).isEqualTo(2);
            // hidden_states[0] is the first id's embedding row, scaled by sqrt(64): both files are read right
            float hidden = Objects.requireNonNull(golden.tensors().get("hidden_states"))
                    .data()
                    .getAtIndex(ValueLayout.JAVA_FLOAT, 0);
            int bf16 = embedding.data().getAtIndex(ValueLayout.JAVA_SHORT, 2 * 64) << 16;
            assertThat(hidden).isEqualTo(Float.intBitsToFloat(bf16) * 8);
        }
    }

    @Test
    void opensShards() throws IOException {
        write("config.json", "{}");
        write("generation_config.json", "{\"eos_token_id\":[1,106]}");
        shard("model-1.safetensors", "a", "b");
        shard("model-2.safetensors", "c");
        index("model-1.safetensors", "./model-1.safetensors", "model-2.safetensors");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors().keySet()).containsExactly("a", "b", "c");
            assertThat(tensor(checkpoint, "c").file()).isEqualTo(folder.resolve("model-2.safetensors"));
            ConfigKeys generation = Objects.requireNonNull(json(checkpoint).generationConfig());
            assertThat(generation.ints("eos_token_id")).containsExactly(1, 106);
        }
    }

    @Test
    void followsLinksAsInTheDownloadCache() throws IOException {
        Path blobs = Files.createDirectory(folder.resolve("blobs"));
        Path snapshot = Files.createDirectories(folder.resolve("snapshots/4d11"));
        shard("blobs/6f0e", "a");
        Files.writeString(blobs.resolve("99aa"), "{}");
        Files.createSymbolicLink(snapshot.resolve("model.safetensors"), Path.of("../../blobs/6f0e"));
        Files.createSymbolicLink(snapshot.resolve("config.json"), Path.of("../../blobs/99aa"));
        try (Checkpoint checkpoint = Checkpoint.open(snapshot)) {
            assertThat(checkpoint.tensors().keySet()).containsExactly("a");
        }
        Files.delete(blobs.resolve("6f0e"));
        assertRefused(
                snapshot, snapshot.resolve("model.safetensors") + ": links to ../../blobs/6f0e, which does not exist");
    }

    @Test
    void aSingleFileGoesBeforeAnIndex() throws IOException {
        write("config.json", "{}");
        write("model.safetensors.index.json", "not read");
        shard("model.safetensors", "a");
        try (Checkpoint checkpoint = Checkpoint.open(folder)) {
            assertThat(checkpoint.tensors().keySet()).containsExactly("a");
        }
    }

    @Test
    void refusesTensorsAfterClose() throws IOException {
        write("config.json", "{}");
        shard("model.safetensors", "a");
        Checkpoint checkpoint = Checkpoint.open(folder);
        MemorySegment data = tensor(checkpoint, "a").data();
        checkpoint.close();
        checkpoint.close();
        assertThatIllegalStateException().isThrownBy(() -> data.get(ValueLayout.JAVA_BYTE, 0));
    }

    @Test
    void saysWhatTheFolderHoldsInstead() throws IOException {
        Path none = folder.resolve("none");
        assertRefused(
                none,
                none + ": got nothing there, need a .gguf file or a folder with config.json and model.safetensors or "
                        + "model.safetensors.index.json");
        String need = ", need config.json and model.safetensors or model.safetensors.index.json, or one model in GGUF";
        assertRefused(folder, folder + ": got an empty folder" + need);
        write("tokenizer.model", "");
        write("config.json", "{}");
        assertRefused(folder, folder + ": got config.json, tokenizer.model" + need);
        Path file = write("gemma.bin", "");
        assertRefused(
                file,
                file + ": got a file, need a .gguf file or a folder with config.json and model.safetensors or "
                        + "model.safetensors.index.json");
    }

    @Test
    void listsTenFilesAtMost() throws IOException {
        for (int i = 0; i < 12; i++) {
            write("f%02d".formatted(i), "");
        }
        shard("model.safetensors", "a");
        assertRefused(
                folder, folder + ": got f00, f01, f02, f03, f04, f05, f06, f07, f08, f09 and 3 more, need config.json");
    }

    @Test
    void refusesAnIndexAndShardsThatDisagree() throws IOException {
        write("config.json", "{}");
        Path one = shard("1.safetensors", "a");
        Path two = shard("2.safetensors", "b");
        Path index = index("1.safetensors", "2.safetensors", "2.safetensors");
        assertRefused(folder, two + ": c: got no such tensor here, need the one that " + index + " places here");
        index("2.safetensors", "2.safetensors");
        assertRefused(folder, two + ": a: got no such tensor here, need the one that " + index + " places here");
        index("2.safetensors", "1.safetensors");
        assertRefused(
                folder,
                two + ": a: got no such tensor here (it is in " + one + "), need the one that " + index
                        + " places here");
        shard("2.safetensors", "a", "b");
        index("1.safetensors", "2.safetensors");
        assertRefused(folder, two + ": a: got it in " + one + " too, need it once");
        shard("2.safetensors", "b", "z");
        assertRefused(folder, two + ": z: got a tensor that " + index + " does not list");
        Files.delete(two);
        assertRefused(folder, two + ": does not exist");
    }

    @Test
    void refusesAnIndexThatLeadsOutOfTheFolder() throws IOException {
        write("config.json", "{}");
        for (String place : List.of("../m.safetensors", "x/../../m", "..", "/etc/passwd", "", ".")) {
            Path index = index(place);
            assertRefused(
                    folder,
                    "%s: weight_map.a: got \"%s\", need the name of a file inside the folder".formatted(index, place));
        }
        Path index = index("a\\u0000b");
        assertRefused(
                folder, index + ": weight_map.a: got \"a?b\", need the name of a file: Nul character not allowed");
        write("model.safetensors.index.json", "{\"weight_map\":{\"a\":7}}");
        assertRefused(folder, index + ": weight_map.a: got 7, need a string");
        write("model.safetensors.index.json", "{\"metadata\":{}}");
        assertRefused(folder, index + ": weight_map: got nothing, need an object");
    }

    @Test
    void refusesABadConfig() throws IOException {
        shard("model.safetensors", "a");
        Path config = write("config.json", "[]");
        assertRefused(folder, config + ": got a list, need an object");
        write("config.json", "{}");
        Path generation = write("generation_config.json", "{");
        assertRefused(folder, generation + ": got malformed JSON: End of input at line 1 column 2 path $.");
    }

    private Path write(String name, String text) throws IOException {
        return Files.writeString(folder.resolve(name), text);
    }

    /// A file of BF16 [1] tensors.
    private Path shard(String name, String... tensors) throws IOException {
        Path file = folder.resolve(name);
        List<TensorSpec> specs = Arrays.stream(tensors)
                .map(tensor -> new TensorSpec(tensor, DataType.BF16, List.of(1L)))
                .toList();
        try (SafetensorsWriter writer = SafetensorsWriter.create(file, specs)) {
            writer.write(MemorySegment.ofArray(new short[tensors.length]));
            writer.finish();
        }
        return file;
    }

    /// An index that places the tensors a, b, c, ... in these files.
    private Path index(String... places) throws IOException {
        StringBuilder map = new StringBuilder();
        for (int i = 0; i < places.length; i++) {
            map.append(i == 0 ? "" : ",").append("\"%c\":\"%s\"".formatted('a' + i, places[i]));
        }
        return write(
                "model.safetensors.index.json", "{\"metadata\":{\"total_size\":2},\"weight_map\":{%s}}".formatted(map));
    }

    private static Tensor tensor(Checkpoint checkpoint, String name) {
        return Objects.requireNonNull(checkpoint.tensors().get(name), name);
    }

    private static Configuration.HuggingFace json(Checkpoint checkpoint) {
        return (Configuration.HuggingFace) checkpoint.configuration();
    }

    private static void assertRefused(Path folder, String message) {
        assertThatExceptionOfType(CheckpointException.class)
                .isThrownBy(() -> Checkpoint.open(folder).close())
                .satisfies(refusal -> assertThat(refusal).hasMessage(message));
    }
}
