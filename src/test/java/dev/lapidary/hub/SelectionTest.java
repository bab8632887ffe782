package dev.lapidary.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SelectionTest {
    private static final ModelName MODEL = HubServer.MODEL;

    @Test
    void aModelIsItsSafetensorsAndWhatGoesWithThem() throws IOException {
        assertThat(Selection.model()
                        .of(
                                MODEL,
                                List.of(
                                        ".gitattributes",
                                        "README.md",
                                        "config.json",
                                        "consolidated.safetensors",
                                        "chat_template.jinja",
                                        "generation_config.json",
                                        "gemma.gguf",
                                        "model.safetensors",
                                        "onnx/model.onnx",
                                        "original/model.safetensors",
                                        "pytorch_model.bin",
                                        "special_tokens_map.json",
                                        "tokenizer.json",
                                        "tokenizer.model",
                                        "tokenizer_config.json")))
                .containsExactly(
                        "config.json",
                        "chat_template.jinja",
                        "generation_config.json",
                        "model.safetensors",
                        "special_tokens_map.json",
                        "tokenizer.json",
                        "tokenizer.model",
                        "tokenizer_config.json");
    }

    @Test
    void anEmbeddingModelComesWithItsModules() throws IOException {
        List<String> wanted = List.of(
                "1_Pooling/config.json",
                "2_Dense/config.json",
                "2_Dense/model.safetensors",
                "3_Dense/config.json",
                "3_Dense/model.safetensors",
                "config.json",
                "config_sentence_transformers.json",
                "model.safetensors",
                "modules.json",
                "sentence_bert_config.json",
                "tokenizer.json");
        List<String> files = new ArrayList<>(wanted);
        files.addAll(List.of("2_Dense/pytorch_model.bin", "onnx/model.onnx", "x/1_Pooling/config.json"));
        assertThat(Selection.model().of(MODEL, files)).isEqualTo(wanted);
        files.remove("modules.json");
        assertThat(Selection.model().of(MODEL, files))
                .containsExactly("config.json", "model.safetensors", "tokenizer.json");
    }

    @Test
    void anEmbeddingModelIsCompleteWithItsModules(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{\"use_bidirectional_attention\": true}");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        Files.writeString(folder.resolve("model.safetensors"), "");
        assertThat(Selection.model().isComplete(folder)).isFalse();
        Files.writeString(folder.resolve("modules.json"), """
            [{"path": "", "type": "sentence_transformers.models.Transformer"},
             {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
             {"path": "2_Dense", "type": "sentence_transformers.models.Dense"},
             {"path": "3_Normalize", "type": "sentence_transformers.models.Normalize"}]
            """);
        for (String file : List.of("1_Pooling/config.json", "2_Dense/config.json", "2_Dense/model.safetensors")) {
            assertThat(Selection.model().isComplete(folder)).as(file).isFalse();
            Files.createDirectories(Objects.requireNonNull(folder.resolve(file).getParent()));
            Files.writeString(folder.resolve(file), "");
        }
        assertThat(Selection.model().isComplete(folder)).isTrue();
        Files.writeString(folder.resolve("modules.json"), "[7]");
        assertThat(Selection.model().isComplete(folder)).isFalse();
    }

    @Test
    void shardsComeWithTheirIndex() throws IOException {
        List<String> shards = List.of(
                "config.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
                "model.safetensors.index.json");
        assertThat(Selection.model().of(MODEL, shards)).isEqualTo(shards);
        assertThat(Selection.model()
                        .of(
                                MODEL,
                                List.of(
                                        "model.safetensors",
                                        "model-00001-of-00001.safetensors",
                                        "model.safetensors.index.json")))
                .containsExactly("model.safetensors");
    }

    @Test
    void ggufOnlyWhereThereIsNothingElse() throws IOException {
        assertThat(Selection.model().of(MODEL, List.of("README.md", "gemma-q4_0.gguf", "mmproj-gemma.gguf")))
                .containsExactly("gemma-q4_0.gguf");
        assertThat(Selection.model().of(MODEL, List.of("g-00001-of-00002.gguf", "g-00002-of-00002.gguf")))
                .hasSize(2);
        assertThatThrownBy(() -> Selection.model().of(MODEL, List.of("g-q4_0.gguf", "g-q8_0.gguf")))
                .isInstanceOf(HubException.class)
                .hasMessage("google/gemma-tiny: 2 models in GGUF: choose with --include, for example '*g-q4_0.gguf';"
                        + " it has g-q4_0.gguf, g-q8_0.gguf");
    }

    @Test
    void whatIsNotThereIsNamed() {
        assertThatThrownBy(() -> Selection.model().of(MODEL, List.of("README.md", "pytorch_model.bin")))
                .hasMessage(
                        "google/gemma-tiny: no weights in safetensors or GGUF; it has README.md, pytorch_model.bin");
        assertThatThrownBy(() -> Selection.tokenizer().of(MODEL, List.of()))
                .hasMessage("google/gemma-tiny: no file of a tokenizer; it has nothing");
        assertThatThrownBy(() -> Selection.matching(List.of("*.x", "y/*")).of(MODEL, List.of("a")))
                .hasMessage("google/gemma-tiny: no file matches *.x, y/*; it has a");
    }

    @Test
    void patternsAreThoseOfFnmatch() throws IOException {
        List<String> files = List.of("a.gguf", "q4/b.gguf", "q4/c.txt");
        assertThat(Selection.matching(List.of("*.gguf")).of(MODEL, files)).containsExactly("a.gguf", "q4/b.gguf");
        assertThat(Selection.matching(List.of("q4/*")).of(MODEL, files)).containsExactly("q4/b.gguf", "q4/c.txt");
        assertThat(Selection.matching(List.of("q4/")).of(MODEL, files)).containsExactly("q4/b.gguf", "q4/c.txt");
        assertThat(Selection.matching(List.of("?.gguf", "a.txt")).of(MODEL, files))
                .containsExactly("a.gguf");
        assertThat(Selection.matching(List.of("[ab].gguf", "*[!a-b].txt")).of(MODEL, files))
                .containsExactly("a.gguf", "q4/c.txt");
        List<String> odd = List.of("[", "a+", "]", "^");
        assertThat(Selection.matching(List.of("[")).of(MODEL, odd)).containsExactly("[");
        assertThat(Selection.matching(List.of("a+")).of(MODEL, odd)).containsExactly("a+");
        assertThat(Selection.matching(List.of("[]^]")).of(MODEL, odd)).containsExactly("]", "^");
        assertThatThrownBy(() -> Selection.matching(List.of())).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aModelIsCompleteWithAllShards(@TempDir Path folder) throws IOException {
        Files.writeString(folder.resolve("config.json"), "{}");
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        assertThat(Selection.model().isComplete(folder)).isFalse();
        assertThat(Selection.tokenizer().isComplete(folder)).isTrue();
        Files.writeString(folder.resolve("model.safetensors.index.json"), """
            {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
            """);
        Files.writeString(folder.resolve("model-00001-of-00002.safetensors"), "");
        assertThat(Selection.model().isComplete(folder)).isFalse();
        Files.writeString(folder.resolve("model-00002-of-00002.safetensors"), "");
        assertThat(Selection.model().isComplete(folder)).isTrue();
        Files.delete(folder.resolve("tokenizer.json"));
        assertThat(Selection.model().isComplete(folder)).isFalse();
    }
}
