package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.tokenizer.StreamingDecoder;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class TextStreamTest {
    private static Tokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        tokenizer = Tokenizer.load(Path.of("src/test/resources/tokenizer/tokenizer.model"));
    }

    static List<List<String>> stops() {
        return List.of(
                List.of(),
                List.of("a"),
                List.of("ab"),
                List.of("aab"),
                List.of("abab"),
                List.of("abac", "ac"),
                List.of("bab", "ab", "aaa"),
                List.of("a b", " "),
                List.of("\u00e9"),
                List.of("\u00e9a", "a\u00e9"),
                List.of("\ud83d\ude00", "\ud83d\ude01a"),
                List.of("\ufffda", "b\ufffd"),
                List.of("aaaaaaaaaaaa"));
    }

    /// Random ids of few letters, whole and as bytes, so that stop strings and their beginnings come often and
    /// broken in every way.
    @ParameterizedTest
    @MethodSource("stops")
    void textIsTheReferencesAfterEveryToken(List<String> stops) {
        int[] alphabet = alphabet();
        for (int seed = 0; seed < 2000; seed++) {
            Random random = new Random(seed);
            int[] ids = IntStream.range(0, 1 + random.nextInt(14))
                    .map(i -> alphabet[random.nextInt(alphabet.length)])
                    .toArray();
            assertSame(ids, stops, "seed " + seed);
        }
    }

    @Test
    void aStopStringAcrossTokensIsNotPartOfTheText() {
        TextStream text = new TextStream(tokenizer, List.of("stop"));
        assertThat(append(text, "gos")).isEqualTo("go");
        assertThat(append(text, "tic s")).isEqualTo("stic ");
        assertThat(append(text, "to")).isEmpty();
        assertThat(text.stopped()).isFalse();
        assertThat(append(text, "pped")).isEmpty();
        assertThat(text.stopped()).isTrue();
        assertThat(text.finish()).isEmpty();
    }

    @Test
    void whatMightHaveBegunAStopStringComesLast() {
        TextStream text = new TextStream(tokenizer, List.of("stop"));
        assertThat(append(text, "a sto")).isEqualTo("a ");
        assertThat(text.finish()).isEqualTo("sto");
        assertThat(text.stopped()).isFalse();
    }

    @Test
    void aCharacterIsHeldBackUntilItsLastByte() {
        TextStream text = new TextStream(tokenizer, List.of());
        assertThat(text.append(byteId(0xF0))).isEmpty();
        assertThat(text.append(byteId(0x9F))).isEmpty();
        assertThat(text.append(byteId(0x98))).isEmpty();
        assertThat(text.append(byteId(0x80))).isEqualTo("\ud83d\ude00");
        assertThat(text.append(byteId(0xC3))).isEmpty();
        assertThat(text.finish()).isEqualTo("\ufffd");
    }

    @Test
    void aStopStringThatOnlyTheEndCompletesStillStops() {
        TextStream text = new TextStream(tokenizer, List.of("a\ufffd"));
        assertThat(append(text, "ba")).isEqualTo("b");
        assertThat(text.append(byteId(0xC3))).isEmpty();
        assertThat(text.finish()).isEmpty();
        assertThat(text.stopped()).isTrue();
    }

    @Test
    void idsBeyondTheTokenizersPiecesHaveNoText() {
        TextStream text = new TextStream(tokenizer, List.of());
        assertThat(text.append(tokenizer.vocabSize())).isEmpty();
        assertThat(append(text, "on")).isEqualTo("on");
    }

    @Test
    void withoutATokenizerAllTextIsEmpty() {
        TextStream text = new TextStream(null, List.of("a"));
        assertThat(text.append(5)).isEmpty();
        assertThat(text.finish()).isEmpty();
        assertThat(text.stopped()).isFalse();
    }

    /// The definition, on the whole text of every prefix of the ids.
    private static void assertSame(int[] ids, List<String> stops, String what) {
        TextStream text = new TextStream(tokenizer, stops);
        StreamingDecoder decoder = tokenizer.streamingDecoder();
        StringBuilder shown = new StringBuilder();
        StringBuilder whole = new StringBuilder();
        for (int id : ids) {
            shown.append(text.append(id));
            whole.append(decoder.append(id));
            int stop = firstStop(whole, stops);
            assertThat(text.stopped()).as(what).isEqualTo(stop >= 0);
            int certain = stop >= 0 ? stop : whole.length() - heldBack(whole, stops);
            assertThat(shown.toString()).as(what).isEqualTo(whole.substring(0, certain));
            if (stop >= 0) {
                assertThat(text.finish()).as(what).isEmpty();
                return;
            }
        }
        shown.append(text.finish());
        whole.append(decoder.finish());
        int stop = firstStop(whole, stops);
        assertThat(text.stopped()).as(what).isEqualTo(stop >= 0);
        assertThat(shown.toString()).as(what).isEqualTo(stop >= 0 ? whole.substring(0, stop) : whole.toString());
    }

    private static int firstStop(StringBuilder text, List<String> stops) {
        return stops.stream()
                .mapToInt(text::indexOf)
                .filter(at -> at >= 0)
                .min()
                .orElse(-1);
    }

    private static int heldBack(StringBuilder text, List<String> stops) {
        for (int at = 0; at < text.length(); at++) {
            String end = text.substring(at);
            if (stops.stream().anyMatch(stop -> stop.startsWith(end))) {
                return end.length();
            }
        }
        return 0;
    }

    private static int[] alphabet() {
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < tokenizer.vocabSize(); id++) {
            if (!tokenizer.isControl(id) && tokenizer.decode(id).matches("[ab]{1,2}|[ab]? [ab]?|\u00e9")) {
                ids.add(id);
            }
        }
        for (int value : new int[] {0xC3, 0xA9, 0xF0, 0x9F, 0x98, 0x80, 0x81}) {
            ids.add(byteId(value));
        }
        assertThat(ids).hasSizeGreaterThan(10);
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private static String append(TextStream stream, String text) {
        StringBuilder shown = new StringBuilder();
        for (int id : tokenizer.encode(text)) {
            if (!stream.stopped()) {
                shown.append(stream.append(id));
            }
        }
        return shown.toString();
    }

    private static int byteId(int value) {
        return tokenizer.idOf("<0x%02X>".formatted(value)).orElseThrow();
    }
}
