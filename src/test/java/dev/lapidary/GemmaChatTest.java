package dev.lapidary;

import static org.assertj.core.api.Assertions.as;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.InstanceOfAssertFactories.STRING;

import dev.lapidary.checkpoint.GgufKeys;
import dev.lapidary.model.GgufCopy;
import dev.lapidary.tokenizer.Chat;
import dev.lapidary.tokenizer.GgufPieces;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

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

    /// By its text, or when it is given a conversation.
    @ParameterizedTest
    @ValueSource(strings = {"{% block a %}", "{{ messages | nonsense }}", "{{ messages[0].content.nonsense() }}"})
    void gemmasTurnsStandInForATemplateOfThemThatIsNotUnderstood(String unknown) throws IOException {
        String template = Files.readString(Path.of("src/test/resources/template/gemma-3.jinja"));
        Path file = folder.resolve("chat_template.jinja");
        Files.writeString(file, template + unknown);
        List<String> told = new ArrayList<>();
        try (Gemma gemma = Gemma.open(folder)) {
            assertThat(gemma.chat(told::add).user("Hi").ids())
                    .isEqualTo(Chat.with(gemma.tokenizer()).user("Hi").ids());
        }
        assertThat(told)
                .singleElement(as(STRING))
                .startsWith(file + ": line ")
                .endsWith("; using the built-in turns of Gemma in its place");
    }

    @Test
    void otherTurnsThanGemmasAreRefused() throws IOException {
        Files.writeString(folder.resolve("chat_template.jinja"), "<|im_start|>{% block a %}");
        try (Gemma gemma = Gemma.open(folder)) {
            assertThatThrownBy(() -> gemma.chat(told -> {}))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("line 1: the statement \"block\" is not known");
        }
        Files.writeString(folder.resolve("chat_template.jinja"), "<|im_start|>{{ messages | nonsense }}");
        try (Gemma gemma = Gemma.open(folder)) {
            assertThatThrownBy(() -> gemma.chat(told -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("chat_template.jinja: line 1: ");
        }
    }

    /// A template that is understood stays, whatever it says of a conversation.
    @Test
    void aTemplateThatRefusesIsUnderstood() throws IOException {
        Files.writeString(
                folder.resolve("chat_template.jinja"),
                "<start_of_turn><end_of_turn>{% if messages | length > 1 %}{{ raise_exception('one turn') }}{% endif"
                        + " %}");
        List<String> told = new ArrayList<>();
        try (Gemma gemma = Gemma.open(folder)) {
            Chat chat = gemma.chat(told::add).user("Hi");
            assertThat(gemma.tokenizer().decode(chat.ids())).isEqualTo("<start_of_turn><end_of_turn>");
            assertThatThrownBy(() -> chat.model("a").user("b").ids())
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessageContaining("one turn");
        }
        assertThat(told).isEmpty();
    }

    @Test
    void aFileThatIsBrokenIsRefused() throws IOException {
        Files.writeString(
                folder.resolve("tokenizer_config.json"), "{\"chat_template\": \"<start_of_turn><end_of_turn>");
        try (Gemma gemma = Gemma.open(folder)) {
            assertThatThrownBy(() -> gemma.chat(told -> {}))
                    .isInstanceOf(UncheckedIOException.class)
                    .hasMessageContaining("tokenizer_config.json");
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
