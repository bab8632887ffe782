package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.model.GgufCopy;
import dev.lapidary.tokenizer.Chat;
import dev.lapidary.tokenizer.GgufPieces;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A checkpoint's own chat template, from the folder to a session.
class GemmaChatTest {
    private static final Path DEMO = Path.of("src/demo");

    @TempDir
    private Path folder;

    @BeforeEach
    void copyDemo() throws IOException {
        try (Stream<Path> files = Files.list(DEMO)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
    }

    @Test
    void withoutATemplateTheTurnsAreBuiltIn() throws IOException {
        try (Gemma gemma = Gemma.open(folder)) {
            assertThat(gemma.chat().user("Hi").ids())
                    .isEqualTo(Chat.with(Tokenizer.load(folder)).user("Hi").ids());
        }
    }

    @Test
    void gemmasTemplateChangesNothing() throws IOException {
        Files.copy(Path.of("src/test/resources/template/gemma-3.jinja"), folder.resolve("chat_template.jinja"));
        try (Gemma own = Gemma.open(folder);
                Gemma builtIn = Gemma.open(DEMO)) {
            assertThat(answers(own)).isEqualTo(answers(builtIn));
        }
    }

    @Test
    void theCheckpointsTemplateIsUsed() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"),
                "{\"chat_template\": \"{{ bos_token }}Q: {{ messages[0].content }} A:\"}");
        try (Gemma gemma = Gemma.open(folder)) {
            assertThat(gemma.chat().user("Hi").ids())
                    .isEqualTo(gemma.tokenizer().encodePrompt("Q: Hi A:"));
        }
    }

    @Test
    void aTemplateThatIsNotUnderstoodHindersOnlyChat() throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), "{% block a %}");
        try (Gemma gemma = Gemma.open(folder)) {
            assertThatThrownBy(gemma::chat)
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("chat_template.jinja: line 1: the statement \"block\" is not known");
        }
    }

    /// Two turns with a session that keeps what it holds.
    private static String answers(Gemma gemma) {
        try (Session session = gemma.newSession(Capacity.tokens(256))) {
            Chat chat = gemma.chat().system("Answer.").user("In the beginning");
            session.append(chat);
            Generation first = session.generate(Sampling.greedy().maxTokens(12));
            chat = chat.model(first.ids()).user("And then?");
            session.append(chat);
            Generation second = session.generate(Sampling.greedy().maxTokens(12));
            return first.text() + "|" + second.text();
        }
    }

    @Test
    void aGgufFileHasItsTemplateInItsMetadata() throws IOException {
        Path file = folder.resolve("demo.gguf");
        GgufKeys keys = GgufPieces.keys(DEMO.resolve("tokenizer.model"))
                .putString("tokenizer.chat_template", "{{ bos_token }}Q: {{ messages[0].content }} A:");
        GgufCopy.write(DEMO, file, null, keys);
        try (Gemma gemma = Gemma.open(file)) {
            assertThat(gemma.chat().user("Hi").ids())
                    .isEqualTo(gemma.tokenizer().encodePrompt("Q: Hi A:"));
        }
    }
}
