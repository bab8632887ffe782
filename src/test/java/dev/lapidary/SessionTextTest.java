package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.model.Golden;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A session's text, in and out.
class SessionTextTest {
    private static final Sampling SAMPLING =
            Sampling.temperature(1).seed(21).ignoreStopTokens(true).maxTokens(60);

    @TempDir
    private static Path folder;

    private static Gemma gemma;

    @BeforeAll
    static void open() throws IOException {
        gemma = TinyModel.open(folder);
    }

    @AfterAll
    static void close() {
        gemma.close();
    }

    @Test
    void theFirstTextHasBosInFrontAndLaterTextDoesNot() {
        Tokenizer tokenizer = gemma.tokenizer();
        try (Session session = gemma.newSession(Capacity.tokens(64))) {
            session.append("In the");
            assertThat(session.ids())
                    .isEqualTo(tokenizer.encodePrompt("In the"))
                    .startsWith(tokenizer.bosId());
            int first = session.position();
            session.append(" beginning");
            assertThat(Arrays.copyOfRange(session.ids(), first, session.position()))
                    .isEqualTo(tokenizer.encode(" beginning"))
                    .doesNotContain(tokenizer.bosId());
        }
    }

    @Test
    void theTokensTextsAndTheTailAreTheText() {
        for (int seed = 0; seed < 10; seed++) {
            try (Session session = session()) {
                Generation generation = session.generate(SAMPLING.seed(seed));
                assertThat(generation.tokens()).hasSize(60);
                assertThat(texts(generation) + generation.tail()).isEqualTo(generation.text());
                int[] pieces = Arrays.stream(generation.ids())
                        .filter(id -> id < gemma.tokenizer().vocabSize())
                        .toArray();
                assertThat(generation.text()).isEqualTo(gemma.tokenizer().decode(pieces));
            }
        }
    }

    @Test
    void aStopStringEndsTheTextInFrontOfItself() {
        String text;
        try (Session session = session()) {
            text = session.generate(SAMPLING).text();
        }
        Random random = new Random(1);
        for (int i = 0; i < 20; i++) {
            int from = random.nextInt(text.length() / 2);
            String stop = text.substring(from, from + 1 + random.nextInt(8));
            try (Session session = session()) {
                Generation generation = session.generate(SAMPLING.stopStrings("\u0001", stop));
                assertThat(generation.text()).as("stop \"%s\"", stop).isEqualTo(text.substring(0, text.indexOf(stop)));
                assertThat(texts(generation) + generation.tail()).isEqualTo(generation.text());
                assertThat(generation.finishReason()).isEqualTo(FinishReason.STOP);
                assertThat(generation.stopToken()).isEqualTo(-1);
                assertThat(generation.tokens().size()).isLessThan(60);
            }
        }
    }

    @Test
    void aStopStringThatOnlyBegunIsPartOfTheText() {
        try (Session session = session();
                Session same = session()) {
            Generation plain = session.generate(SAMPLING);
            String end = plain.text().substring(plain.text().length() - 2);
            Generation held = same.generate(SAMPLING.stopStrings(end + "\u0001"));
            assertThat(held.text()).isEqualTo(plain.text());
            assertThat(held.tail()).endsWith(end);
            assertThat(held.finishReason()).isEqualTo(FinishReason.MAX_TOKENS);
        }
    }

    /// Whoever takes single steps looks for stop strings himself, so he sees them.
    @Test
    void stepsShowStopStrings() {
        try (Session session = session();
                Session stepping = session()) {
            Generation plain = session.generate(SAMPLING.maxTokens(10));
            String stop = plain.text().substring(2, 5);
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < 10; i++) {
                text.append(stepping.next(SAMPLING.stopStrings(stop)).text());
            }
            assertThat(text + plain.tail()).isEqualTo(plain.text());
        }
    }

    @Test
    void aCheckpointWithoutTokenizerTakesIdsAlone() throws IOException {
        Golden golden = Golden.of("gemma3-text");
        try (Gemma wordless = Gemma.open(golden.folder(), TinyModel.options());
                Session session = wordless.newSession(Capacity.tokens(64))) {
            assertThat(wordless.hasTokenizer()).isFalse();
            String message = golden.folder() + ": got no tokenizer, need tokenizer.model, tokenizer.json or the "
                    + "metadata of a GGUF file";
            assertThatThrownBy(wordless::tokenizer)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(message);
            assertThatThrownBy(() -> session.append("text"))
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage(message);
            session.append(golden.prompt());
            Generation generation = session.generate(SAMPLING.maxTokens(5).stopStrings("a"));
            assertThat(generation.ids()).hasSize(5);
            assertThat(generation.text()).isEmpty();
        }
    }

    private static String texts(Generation generation) {
        return generation.tokens().stream().map(Token::text).collect(Collectors.joining());
    }

    private static Session session() {
        Session session = gemma.newSession(Capacity.tokens(128));
        session.append("And the LORD said");
        return session;
    }
}
