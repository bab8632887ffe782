package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.tokenizer.Tokenizer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WindowsTest {
    /// Several times what is read at once, with characters of one to four bytes and symbols at every place.
    private static final String TEXT =
            "In the beginning \u00e9\u4f60\ud83d\ude00\n\n<start_of_turn>, and\t".repeat(1500);

    private static Tokenizer tokenizer;

    @BeforeAll
    static void load() throws IOException {
        tokenizer = Tokenizer.load(Path.of("src/demo"));
    }

    /// The windows of the reference: they begin every `stride` tokens, and the last ends with the text.
    @ParameterizedTest
    @CsvSource({"512, 511", "512, 256", "512, 1", "2, 1", "100, 37", "100000, 99999", "100000, 5"})
    void everyTokenIsPredictedOnceAfterItsContext(int window, int stride) throws IOException {
        String text = stride == 1 ? TEXT.substring(0, 3000) : TEXT;
        int[] whole = tokenizer.encode(text);
        List<Windows.Window> windows = all(Windows.of(tokenizer, new StringReader(text), window, stride));
        int predicted = 0;
        for (int i = 0; i < windows.size(); i++) {
            Windows.Window one = windows.get(i);
            int begin = i * stride;
            int end = Math.min(whole.length, begin + window - 1);
            int[] expected = new int[end - begin + 1];
            expected[0] = tokenizer.bosId();
            System.arraycopy(whole, begin, expected, 1, end - begin);
            assertThat(one.ids()).isEqualTo(expected);
            assertThat(begin + one.first() - 1).isEqualTo(predicted);
            assertThat(one.context()).isEqualTo(Arrays.copyOf(expected, one.first() - 1));
            assertThat(one.predicting()).isEqualTo(Arrays.copyOfRange(expected, one.first() - 1, expected.length - 1));
            predicted += one.predicted();
        }
        assertThat(predicted).isEqualTo(whole.length);
    }

    /// As a file is read, cut between bytes wherever the buffer ends.
    @Test
    void charactersOfManyBytesSurviveTheBuffer() throws IOException {
        for (String shift : List.of("", "a", "ab", "abc")) {
            String text = shift + TEXT;
            Reader reader = new InputStreamReader(
                    new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), StandardCharsets.UTF_8);
            int[] ids = all(Windows.of(tokenizer, reader, 101, 100)).stream()
                    .flatMapToInt(window -> Arrays.stream(window.ids()).skip(1))
                    .toArray();
            assertThat(ids).isEqualTo(tokenizer.encode(text));
        }
    }

    /// A text that never ends is no more work than the windows that are asked for.
    @Test
    void aTextIsReadAsItIsNeeded() throws IOException {
        int[] read = {0};
        Reader endless = new Reader() {
            @Override
            public int read(char[] chars, int from, int count) {
                for (int i = 0; i < count; i++) {
                    chars[from + i] = "and so ".charAt((read[0] + i) % 7);
                }
                read[0] += count;
                return count;
            }

            @Override
            public void close() {}
        };
        Windows windows = Windows.of(tokenizer, endless, 512, 256);
        for (int i = 0; i < 20; i++) {
            assertThat(windows.next()).isNotNull();
        }
        assertThat(read[0]).isLessThan(100_000);
    }

    @Test
    void idsAreOneWindowOfTheirOwn() throws IOException {
        List<Windows.Window> windows = all(Windows.of(7, 8, 9));
        assertThat(windows).hasSize(1);
        assertThat(windows.getFirst().ids()).containsExactly(7, 8, 9);
        assertThat(windows.getFirst().first()).isOne();
        assertThat(windows.getFirst().predicting()).containsExactly(7, 8);
    }

    @Test
    void anEmptyTextHasNoWindow() throws IOException {
        Windows windows = Windows.of(tokenizer, new StringReader(""), 512, 256);
        assertThat(windows.next()).isNull();
        assertThat(windows.next()).isNull();
    }

    @Test
    void whatCannotBeIsRefused() {
        assertThatThrownBy(() -> Windows.of(tokenizer, new StringReader("a"), 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("window: got 1, need 2 or more: bos and a token");
        for (int stride : new int[] {0, 8, -1}) {
            assertThatThrownBy(() -> Windows.of(tokenizer, new StringReader("a"), 8, stride))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessage("stride: got %d, need 1 to 7, the tokens of a window of 8 beside bos", stride);
        }
        assertThatThrownBy(() -> Windows.of(2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("text: got no token to score");
    }

    private static List<Windows.Window> all(Windows windows) throws IOException {
        List<Windows.Window> all = new ArrayList<>();
        for (Windows.Window window = windows.next(); window != null; window = windows.next()) {
            all.add(window);
        }
        assertThat(windows.next()).isNull();
        return all;
    }
}
