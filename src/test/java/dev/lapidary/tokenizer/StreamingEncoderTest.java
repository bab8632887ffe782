package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Wherever a text is cut, the ids are those of the whole.
class StreamingEncoderTest {
    private static final Tokenizer TOKENIZER = Goldens.sentencePiece("tokenizer.model");

    private static final List<String> WORDS = List.of(
            "a",
            "he",
            "the ",
            "  ",
            "\n",
            "\n\n\n",
            "<start_of_turn>",
            "<start_of",
            "_turn>",
            "<",
            "</table>",
            "\t",
            "\u00e9",
            "\u4f60\u597d",
            "\ud83d\ude00",
            "\ud83d",
            "\ude00",
            "\u2581",
            "antidisestablishmentarianism",
            "<unused3>");

    @Test
    void everyCutOfEveryGolden() {
        for (Goldens.Pair golden : Goldens.pairs()) {
            String text = golden.text();
            int[] whole = TOKENIZER.encode(text);
            assertThat(inParts(TOKENIZER.streamingEncoder(), text, 1)).as(text).isEqualTo(whole);
            for (int cut = 0; cut <= Math.min(text.length(), 200); cut++) {
                assertThat(inTwo(TOKENIZER, text, cut))
                        .as("\"%s\" cut at %d", text, cut)
                        .isEqualTo(whole);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void randomTextsInRandomParts(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 500; round++) {
            StringBuilder text = new StringBuilder();
            for (int words = random.nextInt(40); words > 0; words--) {
                text.append(WORDS.get(random.nextInt(WORDS.size())));
            }
            String whole = text.toString();
            assertThat(inParts(TOKENIZER.streamingEncoder(), whole, 1 + random.nextInt(12)))
                    .as("seed %d, text \"%s\"", seed, whole)
                    .isEqualTo(TOKENIZER.encode(whole));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void vocabulariesWithoutSymbolsOrBytes(int seed) throws TokenizerException {
        Random random = new Random(seed);
        List<TestPiece> pieces = TestPiece.special();
        pieces.addAll(List.of(TestPiece.normal("a", -3), TestPiece.normal("aa", -2), TestPiece.normal("aab", -1)));
        Tokenizer tokenizer = TestPiece.tokenizer(pieces);
        StreamingEncoder encoder = tokenizer.streamingEncoder();
        for (int round = 0; round < 300; round++) {
            StringBuilder text = new StringBuilder();
            for (int i = random.nextInt(60); i > 0; i--) {
                text.append("aaabx\ud83d\ude00".charAt(random.nextInt(7)));
            }
            String whole = text.toString();
            assertThat(inParts(encoder, whole, 1 + random.nextInt(5))).as(whole).isEqualTo(tokenizer.encode(whole));
        }
    }

    /// Most ids of a text come while it does, so that little is held.
    @Test
    void littleIsHeldBack() throws IOException {
        String text = Files.readString(Path.of("src/test/resources/demo/valid.txt"));
        Tokenizer tokenizer = Tokenizer.load(Path.of("src/demo"));
        StreamingEncoder encoder = tokenizer.streamingEncoder();
        int early = encoder.append(text).length;
        int late = encoder.finish().length;
        assertThat(early + late).isEqualTo(tokenizer.encode(text).length);
        assertThat(late).isLessThan(50);
    }

    @Test
    void isAsNewAfterTheEnd() {
        StreamingEncoder encoder = TOKENIZER.streamingEncoder();
        for (int i = 0; i < 2; i++) {
            int[] first = encoder.append("the <start_of");
            assertThat(join(first, encoder.finish())).isEqualTo(TOKENIZER.encode("the <start_of"));
        }
        assertThat(encoder.finish()).isEmpty();
    }

    @Test
    void aTextThatCannotBeCutIsRefused() throws TokenizerException {
        List<TestPiece> pieces = TestPiece.special();
        pieces.addAll(List.of(TestPiece.normal("a", -2), TestPiece.normal("aa", -1)));
        StreamingEncoder encoder = TestPiece.tokenizer(pieces).streamingEncoder();
        String part = "a".repeat(StreamingEncoder.LONGEST_RUN);
        assertThat(encoder.append(part)).isEmpty();
        assertThatThrownBy(() -> encoder.append("aaaa"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("text: got more than 4194304 characters without a place to cut");
    }

    private static int[] inParts(StreamingEncoder encoder, String text, int chars) {
        int[] ids = {};
        for (int at = 0; at < text.length(); at += chars) {
            ids = join(ids, encoder.append(text.substring(at, Math.min(text.length(), at + chars))));
        }
        return join(ids, encoder.finish());
    }

    private static int[] inTwo(Tokenizer tokenizer, String text, int cut) {
        StreamingEncoder encoder = tokenizer.streamingEncoder();
        int[] first = encoder.append(text.substring(0, cut));
        return join(join(first, encoder.append(text.substring(cut))), encoder.finish());
    }

    private static int[] join(int[] first, int[] second) {
        int[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
