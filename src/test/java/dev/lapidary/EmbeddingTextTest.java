package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.kernels.DataType;
import dev.lapidary.model.TinyCheckpoint;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What becomes of a text on its way into an embedding model of random weights: prompt, white space, bos and eos, and
/// its end where it is too long.
class EmbeddingTextTest {
    private static final int MAX_TOKENS = 12;
    private static final String LONG = "once upon a time there was a very long story of many words that nobody reads";

    @TempDir
    private Path folder;

    @BeforeEach
    void write() throws IOException {
        new TinyCheckpoint(TinyModel.VOCAB, 4, DataType.BF16)
                .config("use_bidirectional_attention", "true")
                .renamed(name -> name.replaceFirst("^model\\.", ""))
                .write(folder);
        Files.copy(Path.of("src/test/resources/tokenizer/demo.model"), folder.resolve("tokenizer.model"));
        Files.writeString(folder.resolve("modules.json"), """
            [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
             {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]
            """);
        Files.createDirectory(folder.resolve("1_Pooling"));
        Files.writeString(folder.resolve("1_Pooling/config.json"), """
            {"word_embedding_dimension": 12, "pooling_mode_mean_tokens": true}
            """);
        Files.writeString(folder.resolve("sentence_bert_config.json"), """
            {"max_seq_length": %d, "do_lower_case": false}
            """.formatted(MAX_TOKENS));
        prompts("null");
    }

    @Test
    void bosAndEosStandAroundAText() throws IOException {
        try (Gemma gemma = open()) {
            assertSame(gemma, gemma.embed(List.of("Why so", "")), ids(gemma, "Why so"), ids(gemma, ""));
            assertThat(gemma.maxPositions()).isEqualTo(MAX_TOKENS);
        }
    }

    @Test
    void whiteSpaceAroundATextIsTakenAwayAsPythonDoes() throws IOException {
        try (Gemma gemma = open()) {
            String text = "\u00a0\u2007\u202f\u0085\u001c\n Why\u00a0so \u3000\u2028\t";
            assertSame(gemma, gemma.embed(List.of(text)), ids(gemma, "Why\u00a0so"));
            assertThat(Embedder.stripped(" \u200b ")).isEqualTo("\u200b"); // of no width, and no white space
        }
    }

    @Test
    void aPromptStandsInFront() throws IOException {
        try (Gemma gemma = open()) {
            EmbeddingOptions query = EmbeddingOptions.defaults().withPrompt("query");
            assertSame(gemma, embed(gemma, query, " so", ""), ids(gemma, "q:  so"), ids(gemma, "q:"));
            assertSame(gemma, gemma.embed(List.of("so")), ids(gemma, "so"));
            assertThat(gemma.describe().prompts())
                    .containsExactly(java.util.Map.entry("query", "q: "), java.util.Map.entry("document", "d: "));
            assertThatThrownBy(() -> embed(gemma, EmbeddingOptions.defaults().withPrompt("poem"), "so"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("prompt: got \"poem\", need one of query, document");
        }
    }

    @Test
    void theDefaultPromptIsTakenWhereNoneIsNamed() throws IOException {
        prompts("\"document\"");
        try (Gemma gemma = open()) {
            assertSame(gemma, gemma.embed(List.of("so")), ids(gemma, "d: so"));
            EmbeddingOptions query = EmbeddingOptions.defaults().withPrompt("query");
            assertSame(gemma, embed(gemma, query, "so"), ids(gemma, "q: so"));
        }
    }

    @Test
    void withoutPromptsNoneCanBeNamed() throws IOException {
        Files.delete(folder.resolve("config_sentence_transformers.json"));
        try (Gemma gemma = open()) {
            assertThatThrownBy(() -> embed(gemma, EmbeddingOptions.defaults().withPrompt("query"), "so"))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("prompt: got \"query\", need none, since the model names none");
        }
    }

    @Test
    void aTextThatIsTooLongIsRefusedOrLosesItsEnd() throws IOException {
        try (Gemma gemma = open()) {
            int[] all = ids(gemma, LONG);
            assertThat(all).hasSizeGreaterThan(MAX_TOKENS);
            assertThatThrownBy(() -> gemma.embed(List.of("short", LONG)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("texts[1]: got %d tokens with bos and eos, need at most 12, or truncation"
                            .formatted(all.length));
            int[] cut = Arrays.copyOf(all, MAX_TOKENS);
            cut[MAX_TOKENS - 1] = gemma.tokenizer().eosId();
            assertSame(
                    gemma,
                    embed(gemma, EmbeddingOptions.defaults().withTruncation(true), LONG, "so"),
                    cut,
                    ids(gemma, "so"));
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        modules.json                      | sentence_transformers.models.Pooling | x.CLS | [1].type: got "x.CLS", need a Transformer
        modules.json                      | "1_Pooling"   | "../other"  | [1].path: got "../other", need the name of a folder inside
        modules.json                      | {"idx": 1     | {"idx": 2}, {"idx": 1 | [1].type: got nothing, need a string
        1_Pooling/config.json             | 12            | 13          | word_embedding_dimension: got 13, need 12, the width of what comes in
        1_Pooling/config.json             | true          | false       | pooling_mode_mean_tokens: got false, need true
        1_Pooling/config.json             | true          | true, "pooling_mode_cls_token": true | pooling_mode_cls_token: got true, need false
        1_Pooling/config.json             | true          | true, "include_prompt": false | include_prompt: got false, need true
        1_Pooling/config.json             | true          | true, "weights": 1 | weights: got a key this version does not know
        1_Pooling/config.json             | "pooling_mode_mean_tokens": true | "pooling_mode": "cls" | pooling_mode: got "cls", need mean
        sentence_bert_config.json         | false         | true        | do_lower_case: got true, need false
        sentence_bert_config.json         | 12            | 0           | max_seq_length: got 0, need at least 1
        config_sentence_transformers.json | null          | "poem"      | default_prompt_name: got "poem", need one of query, document
        """)
    void whatIsNotImplementedIsRefusedByName(String file, String written, String changed, String message)
            throws IOException {
        Path path = folder.resolve(file);
        Files.writeString(path, Files.readString(path).replaceFirst(written.replace("{", "\\{"), changed));
        assertThatThrownBy(this::open).isInstanceOf(IOException.class).hasMessageStartingWith(path + ": " + message);
    }

    @Test
    void aModelWithoutModulesIsRefused() throws IOException {
        Files.delete(folder.resolve("modules.json"));
        assertThatThrownBy(this::open)
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("modules.json")
                        + ": got nothing there, need the modules behind a text model whose tokens see both ways");
        Files.writeString(folder.resolve("modules.json"), """
            [{"path": "", "type": "sentence_transformers.models.Transformer"}]
            """);
        assertThatThrownBy(this::open)
                .isInstanceOf(IOException.class)
                .hasMessage(folder.resolve("modules.json") + ": got no Pooling, need one");
    }

    @Test
    void poolingIsReadAsNewerFilesSayIt() throws IOException {
        Files.writeString(folder.resolve("1_Pooling/config.json"), """
            {"embedding_dimension": 12, "pooling_mode": "mean", "include_prompt": true}
            """);
        try (Gemma gemma = open()) {
            assertThat(gemma.embed(List.of("so")).getFirst()).hasSize(12);
        }
    }

    private void prompts(String byDefault) throws IOException {
        Files.writeString(folder.resolve("config_sentence_transformers.json"), """
            {"prompts": {"query": "q: ", "document": "d: "}, "default_prompt_name": %s,
             "similarity_fn_name": "cosine"}
            """.formatted(byDefault));
    }

    private Gemma open() throws IOException {
        return Gemma.open(folder, TinyModel.options());
    }

    private static int[] ids(Gemma gemma, String text) {
        Tokenizer tokenizer = gemma.tokenizer();
        return IntStream.concat(Arrays.stream(tokenizer.encodePrompt(text)), IntStream.of(tokenizer.eosId()))
                .toArray();
    }

    private static List<float[]> embed(Gemma gemma, EmbeddingOptions options, String... texts) {
        List<float[]> embeddings = new ArrayList<>();
        gemma.embed(List.of(texts), options, (_, embedding) -> embeddings.add(embedding));
        return embeddings;
    }

    private static void assertSame(Gemma gemma, List<float[]> got, int[]... ids) {
        List<float[]> expected = new ArrayList<>();
        gemma.embedIds(List.of(ids), EmbeddingOptions.defaults(), (_, embedding) -> expected.add(embedding));
        assertThat(got).hasSameSizeAs(expected);
        for (int i = 0; i < got.size(); i++) {
            assertThat(got.get(i)).containsExactly(expected.get(i));
        }
    }
}
