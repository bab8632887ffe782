package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.checkpoint.GgufMetadata;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A tokenizer in GGUF metadata gives the ids of the SentencePiece model it was made of.
class GgufTokenizerTest {
    private Path file = Path.of("");

    @BeforeEach
    void nameFile(@TempDir Path folder) {
        file = folder.resolve("m.gguf");
    }

    @Test
    void everyPieceIsTheOriginals() throws IOException {
        for (String name : List.of("tokenizer.model", "demo.model")) {
            byte[] model = Goldens.bytes(name);
            Tokenizer original = Goldens.sentencePiece(name);
            List<TestPiece> pieces = GgufPieces.of(model);
            for (List<TestPiece> written : List.of(pieces, GgufPieces.converted(pieces))) {
                Tokenizer read = Tokenizer.load(GgufPieces.write(file, GgufPieces.keys(written)));
                assertThat(read.vocabSize()).isEqualTo(original.vocabSize());
                for (int id = 0; id < original.vocabSize(); id++) {
                    assertThat(read.piece(id)).isEqualTo(original.piece(id));
                    assertThat(read.isControl(id)).as("piece %d", id).isEqualTo(original.isControl(id));
                }
            }
        }
    }

    @Test
    void turnsAreSymbolsThoughConvertersCallThemControl() throws IOException {
        List<TestPiece> pieces = GgufPieces.converted(GgufPieces.of(Goldens.bytes("tokenizer.model")));
        assertThat(pieces.get(14)).isEqualTo(new TestPiece("<start_of_turn>", -1000, PieceType.CONTROL));
        Tokenizer tokenizer = Tokenizer.load(GgufPieces.write(file, GgufPieces.keys(pieces)));
        assertThat(tokenizer.encode("<start_of_turn>")).containsExactly(14);
        assertThat(tokenizer.encode("<bos>")).hasSizeGreaterThan(1);
        assertThat(Chat.with(tokenizer)).isNotNull();
    }

    @Test
    void isFoundInAFolderWithOneModel() throws IOException {
        Path folder = Files.createDirectory(file.resolveSibling("folder"));
        assertThat(Tokenizer.find(folder)).isEmpty();
        GgufPieces.write(folder.resolve("m.gguf"), GgufPieces.keys(TestPiece.specialAndBytes()));
        assertThat(Tokenizer.load(folder).vocabSize()).isEqualTo(260);
        Files.write(folder.resolve("tokenizer.model"), Goldens.bytes("tokenizer.model"));
        assertThat(Tokenizer.load(folder).vocabSize()).isEqualTo(1100);
    }

    @Test
    void aFileMayHaveNone() throws IOException {
        GgufPieces.write(file, new GgufKeys().putString("general.architecture", "gemma3"));
        assertThat(Tokenizer.find(file)).isEmpty();
        assertThatExceptionOfType(TokenizerException.class)
                .isThrownBy(() -> Tokenizer.load(file))
                .withMessage(file + ": got no tokenizer in it, need tokenizer.ggml.tokens");
    }

    @Test
    void keepsTheChatTemplateAsText() throws IOException {
        GgufPieces.write(
                file, GgufPieces.keys(TestPiece.special()).putString("tokenizer.chat_template", "{{ bos_token }}"));
        assertThat(GgufMetadata.read(file).string("tokenizer.chat_template")).isEqualTo("{{ bos_token }}");
    }

    @Test
    void refusesOtherTokenizersByName() throws IOException {
        assertRefused(
                new GgufKeys().putString("tokenizer.ggml.model", "gpt2"),
                "tokenizer.ggml.model: got \"gpt2\", need \"llama\": a SentencePiece model with scores");
        assertRefused(
                new GgufKeys().putStrings("tokenizer.ggml.tokens", List.of("a")),
                "tokenizer.ggml.model: got nothing, need a string");
        assertRefused(
                new GgufKeys()
                        .putString("tokenizer.ggml.model", "llama")
                        .putBoolean("tokenizer.ggml.add_space_prefix", true),
                "tokenizer.ggml.add_space_prefix: got true, need false: a Gemma tokenizer leaves text as it is");
    }

    @Test
    void refusesPiecesThatDoNotFitTogether() throws IOException {
        assertRefused(
                keys(List.of("a", "b"), new float[1], new int[2]),
                "tokenizer.ggml.scores: got an array of 1 FLOAT32, need one for each of 2 pieces");
        assertRefused(
                keys(List.of("a", "b"), new float[2], new int[3]),
                "tokenizer.ggml.token_type: got an array of 3 INT32, need one for each of 2 pieces");
        assertRefused(
                keys(List.of("a", "b", "c", "d"), new float[4], new int[] {1, 1, 1, 7}),
                "tokenizer.ggml.token_type: got an array of 4 INT32, need 1 to 6 for piece 3, not 7");
        assertRefused(
                keys(List.of("a", "b", "c", "d"), new float[4], new int[] {1, 1, 1, 1})
                        .putUint32("tokenizer.ggml.eos_token_id", 4),
                "tokenizer.ggml.eos_token_id: got 4, need 0 to 3");
        assertRefused(
                keys(List.of("a", "b", "c", "a"), new float[4], new int[] {1, 1, 1, 2}),
                "pieces 0 and 3 are both \"a\"");
        List<String> endless = new ArrayList<>(List.of("a", "b", "c"));
        endless.add("x".repeat(1025));
        assertRefused(
                keys(endless, new float[4], new int[] {1, 1, 1, 2}), "piece 3: got 1025 characters, need 1 to 1024");
    }

    private static GgufKeys keys(List<String> tokens, float[] scores, int[] types) {
        return new GgufKeys()
                .putString("tokenizer.ggml.model", "llama")
                .putStrings("tokenizer.ggml.tokens", tokens)
                .putFloats("tokenizer.ggml.scores", scores)
                .putInts("tokenizer.ggml.token_type", types);
    }

    private void assertRefused(GgufKeys keys, String problem) throws IOException {
        GgufPieces.write(file, keys);
        assertThatExceptionOfType(TokenizerException.class)
                .isThrownBy(() -> Tokenizer.load(file))
                .withMessage(file + ": " + problem);
    }
}
