package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SentencePieceFileTest {
    private static final List<TestPiece> PIECES = TestPiece.specialAndBytes();

    @Test
    void loadsAFileOrAFolder(@TempDir Path folder) throws Exception {
        assertThatThrownBy(() -> Tokenizer.load(folder))
                .isInstanceOf(TokenizerException.class)
                .hasMessage(folder + ": no tokenizer.model or tokenizer.json");
        String json =
                HuggingFaceJson.of(Goldens.sentencePieceModel("demo.model")).toString();
        Files.writeString(folder.resolve("tokenizer.json"), json);
        assertThat(Tokenizer.load(folder).vocabSize()).isEqualTo(2048);
        Files.write(folder.resolve("tokenizer.model"), Goldens.bytes("tokenizer.model"));
        assertThat(Tokenizer.load(folder).vocabSize()).isEqualTo(1100);
        assertThat(Tokenizer.load(folder.resolve("tokenizer.model")).vocabSize())
                .isEqualTo(1100);
        assertThat(Tokenizer.load(folder.resolve("tokenizer.json")).vocabSize()).isEqualTo(2048);
        assertThatThrownBy(() -> Tokenizer.load(folder.resolve("none.model")))
                .isInstanceOf(java.nio.file.NoSuchFileException.class);
    }

    @Test
    void refusesOtherModels() {
        assertThatThrownBy(() -> read(file(PIECES, 1, true, false)))
                .isInstanceOf(TokenizerException.class)
                .hasMessage("t.model: trainer_spec.model_type: got 1, need 2");
        assertThatThrownBy(() -> read(file(PIECES, 2, false, false)))
                .hasMessage("t.model: trainer_spec.byte_fallback: got false, need true");
        assertThatThrownBy(() -> read(file(TestPiece.special(), 2, true, false)))
                .hasMessage("t.model: trainer_spec.byte_fallback: got true, need false");
        assertThatThrownBy(() -> read(file(PIECES, 2, true, true)))
                .hasMessage("t.model: normalizer_spec.add_dummy_prefix: got true, need false");
    }

    @Test
    void refusesNormalization() {
        byte[] file = ModelWriter.write(PIECES);
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(3, m -> m.text(2, "map")))))
                .hasMessageStartingWith("t.model: normalizer_spec.precompiled_charsmap: got 3 bytes, need none");
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(3, m -> m.text(6, "a\tb")))))
                .hasMessageStartingWith("t.model: normalizer_spec.normalization_rule_tsv: got 3 bytes, need none");
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(5, m -> m.text(2, "map")))))
                .hasMessageStartingWith("t.model: denormalizer_spec.precompiled_charsmap: got 3 bytes, need none");
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(3, m -> m.varint(4, 1)))))
                .hasMessage("t.model: normalizer_spec.remove_extra_whitespaces: got true, need false");
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(3, m -> m.varint(5, 0)))))
                .hasMessage("t.model: normalizer_spec.escape_whitespaces: got false, need true");
        assertThatThrownBy(() -> read(with(file, new ProtoWriter().message(2, m -> m.varint(24, 1)))))
                .hasMessage("t.model: trainer_spec.treat_whitespace_as_suffix: got true, need false");
    }

    @Test
    void takesTheUnknownSurfaceFromTheFile() throws TokenizerException {
        byte[] file = with(ModelWriter.write(PIECES), new ProtoWriter().message(2, m -> m.text(44, "?!")));
        assertThat(new Tokenizer(read(file)).decode(3)).isEqualTo("?!");
    }

    @Test
    void refusesBrokenPieces() {
        byte[] file = ModelWriter.write(PIECES);
        assertPiece(
                m -> m.varint(3, 7),
                "t.model: pieces[260].type: got 7, need 1 to 6 (byte %d)".formatted(file.length + 4));
        assertPiece(
                m -> m.varint(2, 7),
                "t.model: pieces[260].score: got wire type 0, need 5 (byte %d)".formatted(file.length + 3));
        assertPiece(m -> m.text(1, "x").float32(2, Float.NaN), "t.model: piece 260: got score NaN, need a finite one");
        assertPiece(m -> m.varint(3, 1), "t.model: piece 260: got 0 characters, need 1 to 1024");
        assertPiece(
                m -> m.text(1, "x".repeat(1025)),
                "t.model: pieces[260].piece: got more than 1024 characters (byte %d)"
                        .formatted(file.length + 6 + 1025));
        assertPiece(
                m -> m.bytes(1, new byte[] {'a', (byte) 0xC0, (byte) 0x80}),
                "t.model: pieces[260].piece: got bytes that are not UTF-8 (byte %d)".formatted(file.length + 5));
        assertPiece(m -> m.text(1, "<bos>"), "t.model: pieces 2 and 260 are both \"<bos>\"");
        assertPiece(
                m -> m.text(1, "<0x100>").varint(3, 6),
                "t.model: piece 260: got \"<0x100>\" of type BYTE, need <0x00> to <0xFF>");
        assertPiece(m -> m.text(1, "two").varint(3, 2), "t.model: pieces 3 and 260 both have type UNKNOWN, need one");
        assertPiece(
                m -> m.tag(1, 3),
                "t.model: pieces[260].piece: got wire type 3, need 2 (byte %d)".formatted(file.length + 3));
        assertPiece(
                m -> m.tag(9, 4),
                "t.model: pieces[260].field: got wire type 4, need 0, 1, 2 or 5 (byte %d)".formatted(file.length + 3));
        assertPiece(
                m -> m.tag(0, 0),
                "t.model: pieces[260].field: got number 0, need 1 to 536870911 (byte %d)".formatted(file.length + 3));
        assertPiece(
                m -> m.tag(1, 2),
                "t.model: pieces[260].piece: got an end inside a number (byte %d)".formatted(file.length + 3));
        assertPiece(
                m -> m.tag(1, 2).varint(15, 0),
                "t.model: pieces[260].piece: got 120 bytes, 1 are left (byte %d)".formatted(file.length + 4));
        assertPiece(
                m -> m.tag(2, 5),
                "t.model: pieces[260].score: got an end after 0 of 4 bytes (byte %d)".formatted(file.length + 3));
    }

    @Test
    void refusesVocabulariesWithoutTheSpecialPieces() {
        assertThatThrownBy(() -> read(new byte[0])).hasMessage("t.model: trainer_spec.model_type: got 1, need 2");
        assertThatThrownBy(() -> read(ModelWriter.write(List.of()))).hasMessage("t.model: got no pieces");
        assertThatThrownBy(() -> read(ModelWriter.write(PIECES.subList(3, 260))))
                .hasMessage("t.model: no piece \"<bos>\"");
        assertThatThrownBy(() -> read(ModelWriter.write(PIECES.subList(0, 3))))
                .hasMessage("t.model: no piece of type UNKNOWN");
        assertThatThrownBy(() -> read(ModelWriter.write(PIECES.subList(0, 259))))
                .hasMessage("t.model: got 255 pieces of type BYTE, need 256 or none");
        List<TestPiece> normalBos = new java.util.ArrayList<>(PIECES);
        normalBos.set(2, TestPiece.normal("<bos>", 0));
        assertThatThrownBy(() -> read(ModelWriter.write(normalBos)))
                .hasMessage("t.model: piece 2 \"<bos>\" has type NORMAL, need CONTROL");
    }

    @Test
    void refusesUnusedPiecesThatTextReaches() throws TokenizerException {
        ProtoWriter letters = ModelWriter.pieces(List.of(TestPiece.normal("a", -1), TestPiece.normal("b", -2)));
        byte[] file = with(ModelWriter.write(PIECES), letters);
        assertThat(new Tokenizer(read(
                                with(file, ModelWriter.pieces(List.of(new TestPiece("a?b", 0, PieceType.UNUSED))))))
                        .encode("ab"))
                .containsExactly(260, 261);
        assertThatThrownBy(() ->
                        read(with(file, ModelWriter.pieces(List.of(new TestPiece("ab", 0, PieceType.UNUSED))))))
                .hasMessage("t.model: piece 262 \"ab\": got type UNUSED for a piece that text can reach, need NORMAL");
    }

    /// Whatever happens to a file, it is read or refused.
    @Test
    void survivesDamage() {
        byte[] file = Goldens.bytes("tokenizer.model");
        Random random = new Random(1);
        for (int round = 0; round < 3000; round++) {
            byte[] damaged = Arrays.copyOf(file, random.nextInt(4) == 0 ? random.nextInt(file.length) : file.length);
            for (int i = random.nextInt(6); i >= 0 && damaged.length > 0; i--) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            try {
                Tokenizer tokenizer = new Tokenizer(read(damaged));
                tokenizer.decode(tokenizer.encode("the License, <start_of_turn>\n\n  \u4f60\u597d"));
            } catch (TokenizerException refused) {
                assertThat(refused).hasMessageStartingWith("t.model");
            }
        }
    }

    private static void assertPiece(java.util.function.Consumer<ProtoWriter> piece, String message) {
        byte[] file = with(ModelWriter.write(PIECES), new ProtoWriter().message(1, piece));
        assertThatThrownBy(() -> read(file))
                .isInstanceOf(TokenizerException.class)
                .hasMessage(message);
    }

    private static byte[] file(List<TestPiece> pieces, int modelType, boolean byteFallback, boolean dummyPrefix) {
        ProtoWriter file = ModelWriter.trainer(ModelWriter.pieces(pieces), modelType, byteFallback);
        return ModelWriter.normalizer(file, dummyPrefix).toBytes();
    }

    private static byte[] with(byte[] file, ProtoWriter more) {
        byte[] longer = Arrays.copyOf(file, file.length + more.toBytes().length);
        System.arraycopy(more.toBytes(), 0, longer, file.length, longer.length - file.length);
        return longer;
    }

    private static TokenizerModel read(byte[] file) throws TokenizerException {
        return SentencePieceFile.read(file, "t.model");
    }
}
