package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EncoderTest {
    private static final List<String> LETTERS = List.of("a", "b", "c", "\u2581", "\u00e9", "\u4f60", "\ud83d\ude00");

    /// Vocabularies without any order in their scores, with equal ones, with pieces that nothing leads to, with
    /// characters that are no pieces: whatever the model, the ids are those of the definition.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void agreesWithTheDefinition(int seed) throws TokenizerException {
        Random random = new Random(seed);
        for (int round = 0; round < 60; round++) {
            List<TestPiece> pieces = randomPieces(random);
            Tokenizer tokenizer = TestPiece.tokenizer(pieces);
            ReferenceEncoder reference = new ReferenceEncoder(pieces);
            for (int i = 0; i < 20; i++) {
                String text = randomText(random, random.nextInt(80));
                assertThat(Arrays.stream(tokenizer.encode(text)).boxed().toList())
                        .as("seed %d, pieces %s, text \"%s\"", seed, pieces, text)
                        .isEqualTo(reference.encode(text));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void agreesWithTheDefinitionOnAWordLikeVocabulary(int seed) throws TokenizerException {
        Random random = new Random(seed);
        List<TestPiece> pieces = mergedPieces(random);
        Tokenizer tokenizer = TestPiece.tokenizer(pieces);
        ReferenceEncoder reference = new ReferenceEncoder(pieces);
        for (int i = 0; i < 60; i++) {
            String text = randomText(random, random.nextInt(300));
            assertThat(Arrays.stream(tokenizer.encode(text)).boxed().toList())
                    .as("seed %d, text \"%s\"", seed, text)
                    .isEqualTo(reference.encode(text));
        }
    }

    @Test
    void ofEqualScoresTheLeftmostGoesFirst() throws TokenizerException {
        List<TestPiece> pieces = TestPiece.specialAndBytes();
        pieces.addAll(List.of(
                TestPiece.normal("a", -9),
                TestPiece.normal("b", -9),
                TestPiece.normal("ab", -1),
                TestPiece.normal("ba", -1)));
        assertThat(pieces(TestPiece.tokenizer(pieces), "aba")).containsExactly("ab", "a");
        assertThat(pieces(TestPiece.tokenizer(pieces), "bab")).containsExactly("ba", "b");
    }

    @Test
    void negativeZeroIsZero() throws TokenizerException {
        List<TestPiece> pieces = TestPiece.specialAndBytes();
        pieces.addAll(List.of(
                TestPiece.normal("a", -9),
                TestPiece.normal("b", -9),
                TestPiece.normal("ab", -0.0),
                TestPiece.normal("ba", 0)));
        assertThat(pieces(TestPiece.tokenizer(pieces), "aba")).containsExactly("ab", "a");
    }

    @Test
    void withoutBytePiecesUnknownCharactersShareOneId() throws TokenizerException {
        List<TestPiece> pieces = TestPiece.special();
        pieces.add(TestPiece.normal("a", -1));
        Tokenizer tokenizer = TestPiece.tokenizer(pieces);
        assertThat(tokenizer.encode("axyzax")).containsExactly(4, 3, 4, 3);
        assertThat(tokenizer.decode(4, 3, 4)).isEqualTo("a \u2047 a");
    }

    @Test
    void surrogatesWithoutPartnerBecomeTheReplacementCharacter() {
        Tokenizer tokenizer = Goldens.sentencePiece("tokenizer.model");
        int[] replacement = tokenizer.encode("\ufffd");
        assertThat(tokenizer.encode("\ud83d")).isEqualTo(replacement);
        assertThat(tokenizer.encode("\ude00")).isEqualTo(replacement);
        assertThat(tokenizer.encode("\ude00\ud83d")).isEqualTo(tokenizer.encode("\ufffd\ufffd"));
        assertThat(tokenizer.encode("\ud83d\ud83d\ude00")).isEqualTo(tokenizer.encode("\ufffd\ud83d\ude00"));
        assertThat(tokenizer.encode("a\ud83d b")).isEqualTo(tokenizer.encode("a\ufffd b"));
    }

    @Test
    void plainTextCannotSteer() {
        Tokenizer tokenizer = Goldens.sentencePiece("tokenizer.model");
        for (String marker : List.of(
                "<start_of_turn>",
                "<end_of_turn>",
                "<|fim_prefix|>",
                "<|file_separator|>",
                "<start_of_image>",
                "<image_soft_token>",
                "<mask>",
                "[multimodal]",
                "<unused3>")) {
            int id = tokenizer.idOf(marker).orElseThrow();
            assertThat(tokenizer.encode("a " + marker + " b")).contains(id);
            assertThat(tokenizer.encodePlain("a " + marker + " b")).doesNotContain(id);
            assertThat(tokenizer.decode(tokenizer.encodePlain("a " + marker + " b")))
                    .isEqualTo("a " + marker + " b");
        }
        for (String text : List.of("a\n\nb", "\t\tx", "a    b", "<table></h1><code>", "plain text")) {
            assertThat(tokenizer.encodePlain(text)).isEqualTo(tokenizer.encode(text));
        }
    }

    /// Quadratic work on these would take hours.
    @ParameterizedTest
    @ValueSource(strings = {"a", "the", "abc", " ", "\n", "\u4f60", "\u00e9", "x y", "<start_of_turn", "\ud83d\ude00"})
    void longRunsTakeLinearTime(String unit) throws TokenizerException {
        List<TestPiece> pieces = TestPiece.specialAndBytes();
        pieces.add(TestPiece.normal("\u2581", -99));
        for (int length = 1; length <= 64; length *= 2) {
            pieces.add(TestPiece.normal("a".repeat(length), -length));
        }
        Tokenizer repeats = TestPiece.tokenizer(pieces);
        String text = unit.repeat(1_000_000 / unit.length());
        for (Tokenizer tokenizer : List.of(Goldens.sentencePiece("tokenizer.model"), repeats)) {
            int[] ids = Assertions.assertTimeoutPreemptively(Duration.ofSeconds(60), () -> tokenizer.encode(text));
            assertThat(tokenizer.decode(ids)).isEqualTo(text);
        }
    }

    private static List<String> pieces(Tokenizer tokenizer, String text) {
        return Arrays.stream(tokenizer.encode(text)).mapToObj(tokenizer::piece).toList();
    }

    private static List<TestPiece> randomPieces(Random random) {
        List<TestPiece> pieces = random.nextBoolean() ? TestPiece.specialAndBytes() : TestPiece.special();
        Set<String> texts = new LinkedHashSet<>();
        for (int i = random.nextInt(40); i >= 0; i--) {
            texts.add(randomPiece(random, 1 + random.nextInt(5)));
        }
        for (String text : texts) {
            boolean frozen = random.nextInt(8) == 0;
            pieces.add(frozen ? TestPiece.userDefined(text) : TestPiece.normal(text, -random.nextInt(10)));
        }
        return pieces;
    }

    /// All letters, and pieces each made of two earlier ones: as a trained vocabulary is.
    private static List<TestPiece> mergedPieces(Random random) {
        List<TestPiece> pieces = TestPiece.specialAndBytes();
        Set<String> texts = new LinkedHashSet<>(LETTERS);
        while (texts.size() < 300) {
            List<String> known = new ArrayList<>(texts);
            String merged = known.get(random.nextInt(known.size())) + known.get(random.nextInt(known.size()));
            if (merged.length() <= 12) {
                texts.add(merged);
            }
        }
        int rank = 0;
        for (String text : texts) {
            pieces.add(TestPiece.normal(text, -rank++));
        }
        pieces.add(TestPiece.userDefined("\u2581\u2581a"));
        return pieces.stream().collect(Collectors.toCollection(ArrayList::new));
    }

    private static String randomPiece(Random random, int letters) {
        StringBuilder piece = new StringBuilder();
        for (int i = 0; i < letters; i++) {
            piece.append(LETTERS.get(random.nextInt(LETTERS.size())));
        }
        return piece.toString();
    }

    private static String randomText(Random random, int letters) {
        StringBuilder text = new StringBuilder();
        int repeats = 1 + random.nextInt(4);
        while (text.length() < letters) {
            String letter = random.nextInt(12) == 0 ? "?" : LETTERS.get(random.nextInt(LETTERS.size()));
            text.append(
                    letter.equals("\u2581") && random.nextBoolean() ? " " : letter.repeat(1 + random.nextInt(repeats)));
        }
        return text.toString();
    }
}
