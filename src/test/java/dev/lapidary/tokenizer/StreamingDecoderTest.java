package dev.lapidary.tokenizer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamingDecoderTest {
    private static final Tokenizer TOKENIZER = Goldens.sentencePiece("tokenizer.model");
    private static final int BYTE_0 = 50;

    @Test
    void holdsACharacterBackUntilItsLastByte() {
        StreamingDecoder decoder = TOKENIZER.streamingDecoder();
        assertThat(decoder.append(290)).isEmpty();
        assertThat(decoder.append(209)).isEmpty();
        assertThat(decoder.append(202)).isEmpty();
        assertThat(decoder.append(178)).isEqualTo("\ud83d\ude00");
        assertThat(decoder.finish()).isEmpty();
    }

    @Test
    void givesUpOnACharacterWhenItCannotBecomeOne() {
        StreamingDecoder decoder = TOKENIZER.streamingDecoder();
        assertThat(decoder.append(BYTE_0 + 0xF0)).isEmpty();
        assertThat(decoder.append(BYTE_0 + 0x9F)).isEmpty();
        assertThat(decoder.append(BYTE_0 + 'A')).isEqualTo("\ufffd\ufffdA");
        assertThat(decoder.append(BYTE_0 + 0xC3)).isEmpty();
        assertThat(decoder.append(TOKENIZER.bosId())).isEqualTo("\ufffd");
        assertThat(decoder.append(BYTE_0 + 0xE2)).isEmpty();
        assertThat(decoder.finish()).isEqualTo("\ufffd");
        assertThat(decoder.append(508)).isEqualTo("he");
    }

    /// All byte sequences up to three long, and many of four, against the rule itself.
    @Test
    void judgesBytesLikeSentencePiece() {
        for (int first = 0x7F; first < 256; first++) {
            for (int second = 0x7F; second < 256; second++) {
                for (int third : new int[] {0x41, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC0, 0xE0, 0xF4}) {
                    byte[] bytes = {(byte) first, (byte) second, (byte) third, (byte) 0x80};
                    int[] ids = {BYTE_0 + first, BYTE_0 + second, BYTE_0 + third, BYTE_0 + 0x80};
                    assertThat(TOKENIZER.decode(ids)).isEqualTo(oneReplacementForEachBadByte(bytes));
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7})
    void piecesTogetherAreTheWhole(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 3000; round++) {
            int[] ids = randomIds(random);
            StreamingDecoder decoder = TOKENIZER.streamingDecoder();
            StringBuilder text = new StringBuilder();
            for (int id : ids) {
                String more = decoder.append(id);
                assertThat(more.isEmpty() || !Character.isHighSurrogate(more.charAt(more.length() - 1)))
                        .isTrue();
                text.append(more);
            }
            text.append(decoder.finish());
            assertThat(text.toString()).as("seed %d, ids %s", seed, ids).isEqualTo(TOKENIZER.decode(ids));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void decodingUndoesEncoding(int seed) {
        Random random = new Random(seed);
        for (int round = 0; round < 2000; round++) {
            String text = random.ints(random.nextInt(40), 0, 0x3000)
                    .mapToObj(c -> Character.toString(c == '\u2581' ? ' ' : c % 3 == 0 ? 0x1F600 + c % 80 : c))
                    .collect(java.util.stream.Collectors.joining());
            assertThat(TOKENIZER.decode(TOKENIZER.encode(text))).isEqualTo(text);
            assertThat(TOKENIZER.decode(TOKENIZER.encodePlain(text))).isEqualTo(text);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {-1, 1100, Integer.MAX_VALUE, Integer.MIN_VALUE})
    void refusesIdsThatDoNotExist(int id) {
        String message = "token id: got %d, need 0 to 1099".formatted(id);
        assertThatThrownBy(() -> TOKENIZER.decode(5, id))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
        assertThatThrownBy(() -> TOKENIZER.streamingDecoder().append(id)).hasMessage(message);
        assertThatThrownBy(() -> TOKENIZER.piece(id)).hasMessage(message);
        assertThatThrownBy(() -> TOKENIZER.isControl(id)).hasMessage(message);
    }

    private static int[] randomIds(Random random) {
        int[] ids = new int[random.nextInt(30)];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = switch (random.nextInt(4)) {
                case 0 -> random.nextInt(TOKENIZER.vocabSize());
                case 1 -> random.nextInt(4);
                default -> BYTE_0 + (random.nextBoolean() ? 0x80 + random.nextInt(128) : random.nextInt(256));
            };
        }
        return ids;
    }

    private static String oneReplacementForEachBadByte(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (int at = 0; at < bytes.length; ) {
            int length = 4;
            while (length > 0 && !isOneCharacter(bytes, at, length)) {
                length--;
            }
            text.append(length == 0 ? "\ufffd" : new String(bytes, at, length, StandardCharsets.UTF_8));
            at += Math.max(length, 1);
        }
        return text.toString();
    }

    private static boolean isOneCharacter(byte[] bytes, int at, int length) {
        if (at + length > bytes.length) {
            return false;
        }
        String text = new String(bytes, at, length, StandardCharsets.UTF_8);
        return text.codePointCount(0, text.length()) == 1 && text.indexOf('\ufffd') < 0;
    }
}
