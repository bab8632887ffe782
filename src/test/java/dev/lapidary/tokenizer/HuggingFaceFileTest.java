package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HuggingFaceFileTest {
    private static final JsonObject JSON = HuggingFaceJson.of(Goldens.sentencePieceModel("tokenizer.model"));

    @Test
    void theOrderOfKeysDoesNotMatter() throws IOException {
        JsonObject reversed = reversed(JSON);
        reversed.add("model", reversed(JSON.getAsJsonObject("model")));
        Tokenizer tokenizer = new Tokenizer(read(reversed.toString()));
        for (Goldens.Pair pair : Goldens.pairs()) {
            assertThat(tokenizer.encode(pair.text())).isEqualTo(Goldens.ints(pair.ids()));
        }
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "version | \"2.0\" | version: got 2.0, need 1.0",
                "normalizer | null | normalizer: got null, need one of",
                "normalizer | {\"type\": \"NFKC\"} | normalizer: got {type=NFKC}, need one of",
                "pre_tokenizer | {\"type\": \"ByteLevel\"} | pre_tokenizer: got {type=ByteLevel}, need null",
                "post_processor | {\"type\": \"ByteLevel\"} | post_processor: got {type=ByteLevel}, need null",
                "decoder | {\"type\": \"ByteLevel\"} | decoder: got {type=ByteLevel}, need {",
                "surprise | 1 | surprise: not known",
                "model.type | \"Unigram\" | model.type: got Unigram, need BPE",
                "model.dropout | 0.1 | model.dropout: got 0.1, need one of [null, 0.0]",
                "model.continuing_subword_prefix | \"##\" | model.continuing_subword_prefix: got ##, need one of"
                        + " [null, ]",
                "model.end_of_word_suffix | \"</w>\" | model.end_of_word_suffix: got </w>, need one of [null, ]",
                "model.ignore_merges | true | model.ignore_merges: got true, need false",
                "model.byte_fallback | false | model.byte_fallback: got false, and the vocabulary has 256 byte pieces",
                "model.surprise | 1 | model.surprise: not known",
                "model.unk_token | \"<none>\" | no piece of type UNKNOWN",
                "model.merges | [\"ab\"] | model.merges[0]: got \"ab\", need two pieces with one space between them",
                "model.merges | [\"a b c\"] | model.merges[0]: got \"a b c\", need two pieces",
                "model.merges | [[\"e\", \"r\"], [\"e\", \"zz\"]] | model.merges[1]: got \"zz\", need a piece of"
                        + " model.vocab",
                "model.merges | [[\"a\"]] | Expected a string but was END_ARRAY",
                "model.vocab | {\"a\": -1} | model.vocab: \"a\": got id -1, need 0 to 1048575",
                "model.vocab | {\"a\": 5000000} | model.vocab: \"a\": got id 5000000, need 0 to 1048575",
                "model.vocab | {\"a\": 900, \"b\": 900} | model.vocab: id 900 is both \"a\" and \"b\"",
                "model.vocab | {\"a\": 905} | no piece has id 50, the last is 905",
                "model.vocab | {\"a\": \"x\"} | Expected an int but was x at line 1 column",
                "added_tokens | [{\"id\": 2, \"content\": \"<b>\"}] | id 2 is both",
                "added_tokens | [{\"id\": 2, \"content\": \"<bos>\", \"lstrip\": true}] | added_tokens[0].lstrip: got"
                        + " true, need false",
                "added_tokens | [{\"id\": 2, \"content\": \"<bos>\", \"why\": true}] | added_tokens[0].why: not known",
            })
    void refusesByName(String path, String value, String message) {
        JsonObject json = JSON.deepCopy();
        boolean inModel = path.startsWith("model.");
        (inModel ? json.getAsJsonObject("model") : json)
                .add(inModel ? path.substring(6) : path, JsonParser.parseString(value));
        assertThatThrownBy(() -> read(json.toString()))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith("t.json: ")
                .hasMessageContaining(message);
    }

    @Test
    void refusesBrokenJson(@TempDir Path folder) throws IOException {
        assertThatThrownBy(() -> read(""))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("End of input");
        assertThatThrownBy(() -> read("{\"version\": \"1.0\"")).hasMessageContaining("End of input");
        assertThatThrownBy(() -> read("[]")).hasMessageContaining("Expected BEGIN_OBJECT but was BEGIN_ARRAY");
        assertThatThrownBy(() -> read("{version: 1}")).isInstanceOf(TokenizerException.class);
        assertThatThrownBy(() -> read(JSON + "x")).isInstanceOf(TokenizerException.class);
        assertThatThrownBy(() -> read("{\"normalizer\": " + "[".repeat(5000)))
                .isInstanceOf(TokenizerException.class)
                .hasMessageContaining("Nesting limit");
        assertThatThrownBy(() -> read("{\"normalizer\": [" + "1,".repeat(20_000) + "1]}"))
                .hasMessageContaining("got more than 10000 values at $.normalizer[");
        Path file = folder.resolve("tokenizer.json");
        Files.write(file, "{\"version\": \"\u00e9\"".getBytes(StandardCharsets.ISO_8859_1));
        assertThatThrownBy(() -> Tokenizer.load(file))
                .isInstanceOf(TokenizerException.class)
                .hasMessageStartingWith(file + ": got bytes that are not UTF-8");
    }

    @Test
    void addedTokensMayLieBeyondTheVocabulary() throws IOException {
        JsonObject json = JSON.deepCopy();
        json.getAsJsonArray("added_tokens")
                .add(JsonParser.parseString("{\"id\": 1100, \"content\": \"<my token>\", \"special\": false}"));
        Tokenizer tokenizer = new Tokenizer(read(json.toString()));
        assertThat(tokenizer.encode("a<my token>b")).containsExactly(904, 1100, 916);
        assertThat(tokenizer.decode(904, 1100, 916)).isEqualTo("a<my token>b");
    }

    /// As Hugging Face has it; in a list made from scores all merges of a piece stand together.
    @Test
    void mergesOfOnePieceThatStandApartKeepTheirRanks() throws IOException {
        JsonObject json = JsonParser.parseString("""
            {"normalizer": %s, "decoder": %s, "padding": {"length": 8}, "truncation": {"max_length": 2},
             "model": {"fuse_unk": true,
             "vocab": {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "a": 4, "b": 5, "c": 6, "d": 7,
               "ab": 8, "bc": 9, "cd": 10, "abc": 11},
             "merges": ["a bc", "a b", "c d", "ab c"]}}
            """.formatted(JSON.get("normalizer"), JSON.get("decoder")))
                .getAsJsonObject();
        Tokenizer tokenizer = new Tokenizer(read(json.toString()));
        assertThat(tokenizer.encode("abcd")).containsExactly(8, 10);
        assertThat(tokenizer.encode("abc")).containsExactly(11);
        assertThat(tokenizer.encode("bc")).containsExactly(5, 6);
    }

    @Test
    void withoutBytesUnknownTextMustFuse() throws IOException {
        JsonObject json = JsonParser.parseString("""
            {"normalizer": %s, "decoder": %s, "added_tokens": [],
             "model": {"vocab": {"<pad>": 0, "<eos>": 1, "<bos>": 2, "<unk>": 3, "a": 4}, "merges": [], "fuse_unk": true}}
            """.formatted(JSON.get("normalizer"), JSON.get("decoder")))
                .getAsJsonObject();
        assertThat(new Tokenizer(read(json.toString())).encode("axya")).containsExactly(4, 3, 4);
        json.getAsJsonObject("model").addProperty("fuse_unk", false);
        assertThatThrownBy(() -> read(json.toString())).hasMessage("t.json: model.fuse_unk: got false, need true");
    }

    /// Whatever happens to a file, it is read or refused.
    @Test
    void survivesDamage() {
        String file = JSON.toString();
        Random random = new Random(1);
        for (int round = 0; round < 300; round++) {
            StringBuilder damaged = new StringBuilder(file);
            for (int i = random.nextInt(4); i >= 0; i--) {
                int at = random.nextInt(damaged.length());
                damaged.replace(
                        at,
                        at + 1 + random.nextInt(3),
                        List.of("", "\"", "{", "[", "1", "\\u", ",", "x").get(random.nextInt(8)));
            }
            if (random.nextInt(4) == 0) {
                damaged.setLength(random.nextInt(damaged.length()));
            }
            try {
                Tokenizer tokenizer = new Tokenizer(read(damaged.toString()));
                tokenizer.decode(tokenizer.encode("the License, <start_of_turn>\n\n  \u4f60\u597d"));
            } catch (IOException refused) {
                assertThat(refused).isInstanceOf(TokenizerException.class).hasMessageStartingWith("t.json");
            }
        }
    }

    private static JsonObject reversed(JsonObject json) {
        JsonObject reversed = new JsonObject();
        List.copyOf(json.keySet()).reversed().forEach(key -> reversed.add(key, json.get(key)));
        return reversed;
    }

    private static TokenizerModel read(String json) throws IOException {
        return HuggingFaceFile.read(new StringReader(json), "t.json");
    }
}
