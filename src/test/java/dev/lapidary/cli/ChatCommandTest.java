package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.tokenizer.Chat;
import dev.lapidary.tokenizer.Tokenizer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ChatCommandTest {
    private static final String[] CHAT = {"chat", "-t", "0", "-n", "8", "--compute", "f32"};

    @Test
    void theModelSeesTheWholeConversation() throws IOException {
        Tokenizer tokenizer = Tokenizer.load(Path.of(Run.DEMO));
        Chat chat = Chat.with(tokenizer).user("Who art thou?");
        int[] first = answer(chat);
        int[] second = answer(chat.model(first).user("And then?"));
        Run run = Run.withInput("Who art thou?\nAnd then?\n", CHAT);
        assertThat(run.code()).isZero();
        assertThat(run.out()).isEqualTo(tokenizer.decode(first) + "\n" + tokenizer.decode(second) + "\n");
    }

    @Test
    void aTemplateThatIsNotUnderstoodIsToldOnce(@TempDir Path folder) throws IOException {
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.model")) {
            Files.copy(Path.of(Run.DEMO, name), folder.resolve(name));
        }
        Path template = folder.resolve("chat_template.jinja");
        Files.writeString(template, "<start_of_turn>{% block a %}<end_of_turn>");
        String[] own = {"chat", "-t", "0", "-n", "8", "--compute", "f32", "-m", folder.toString()};
        Run run = Run.withInput("Who art thou?\n/reset\nWho art thou?\n", own);
        String answer = Run.withInput("Who art thou?\n", CHAT).out();
        assertThat(run.out()).isEqualTo(answer + answer);
        assertThat(run.err())
                .containsOnlyOnce("lapidary: %s: line 1: the statement \"block\" is not known; using the built-in turns"
                        .formatted(template));
        String[] generate = {"generate", "--chat", "-p", "Who?", "-n", "1", "-m", folder.toString()};
        assertThat(Run.of(generate).err()).contains("using the built-in turns of Gemma in its place");
        Files.writeString(template, "<|im_start|>{% block a %}");
        Run refused = Run.withInput("Who art thou?\n", own);
        assertThat(refused.code()).isEqualTo(Failures.FAILED);
        assertThat(refused.out()).isEmpty();
        assertThat(refused.err()).contains("line 1: the statement \"block\" is not known");
    }

    @Test
    void resetForgets() {
        String[] longer = {"chat", "-t", "0", "-n", "24", "--compute", "f32"};
        List<String> answers = Run.withInput("And the LORD said,\n/reset\nAnd the LORD said,\n", longer)
                .out()
                .lines()
                .toList();
        assertThat(answers).hasSize(2).allMatch(answers.getFirst()::equals);
        List<String> without = Run.withInput("And the LORD said,\nAnd the LORD said,\n", longer)
                .out()
                .lines()
                .toList();
        assertThat(without.get(1)).isNotEqualTo(answers.get(1));
    }

    @Test
    void aSystemTextChangesTheAnswer() {
        String[] withSystem = {"chat", "-t", "0", "-n", "8", "--compute", "f32", "--system", "Speak of the sea."};
        assertThat(Run.withInput("Who?\n", withSystem).out())
                .isNotEqualTo(Run.withInput("Who?\n", CHAT).out());
    }

    @Test
    void commandsAreNotSaidToTheModel() {
        Run run = Run.withInput("/help\n\n  \n/nonsense\n/exit\nWho?\n", CHAT);
        assertThat(run.code()).isZero();
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains("/reset forgets", "/nonsense: no such command");
    }

    @Test
    void aTurnThatDoesNotFitIsNotSaid() {
        String[] small = {"chat", "-t", "0", "-n", "4", "--compute", "f32", "--capacity", "32"};
        Run run = Run.withInput("Who?\n" + "very ".repeat(40) + "long\n/reset\nWho?\n", small);
        List<String> answers = run.out().lines().toList();
        assertThat(answers).hasSize(2).allMatch(answers.getFirst()::equals);
        assertThat(run.err())
                .containsPattern("conversation: got \\d+ more tokens after \\d+, need fewer than 32 in all");
    }

    @Test
    void anAnswerThatIsCutIsSaidToBe() {
        assertThat(Run.withInput("Who?\n", CHAT).err()).contains("the answer is cut (--max-tokens N");
        String[] small = {"chat", "-t", "0", "-n", "400", "--capacity", "32"};
        assertThat(Run.withInput("Who?\n", small).err()).contains("the conversation is full: /reset");
    }

    @Test
    void aVocabularyWithoutTurnsCannotChat(@TempDir Path folder) throws IOException {
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(Path.of(Run.DEMO, file), folder.resolve(file));
        }
        String tokenizer = Files.readString(Path.of(Run.DEMO, "tokenizer.model"), StandardCharsets.ISO_8859_1);
        Files.writeString(
                folder.resolve("tokenizer.model"),
                tokenizer.replace("<start_of_turn>", "<start_of_torn>"),
                StandardCharsets.ISO_8859_1);
        Run run = Run.withInput("Who?\n", "chat", "-m", folder.toString());
        assertThat(run.code()).isEqualTo(Failures.USAGE);
        assertThat(run.err()).contains("no piece \"<start_of_turn>\", which chat turns need");
    }

    @Test
    void theHistoryFollowsTheBaseDirectorySpecification() {
        assertThat(ChatTerminal.history("/state", "/home/u")).isEqualTo(Path.of("/state/lapidary/chat-history"));
        assertThat(ChatTerminal.history(null, "/home/u"))
                .isEqualTo(Path.of("/home/u/.local/state/lapidary/chat-history"));
        assertThat(ChatTerminal.history("relative", "/home/u"))
                .isEqualTo(Path.of("/home/u/.local/state/lapidary/chat-history"));
    }

    private static int[] answer(Chat chat) {
        return Run.of(
                        "generate",
                        "--ids",
                        TokenIds.text(chat.ids()),
                        "-t",
                        "0",
                        "-n",
                        "8",
                        "--compute",
                        "f32",
                        "--json")
                .ids("ids")
                .stream()
                .mapToInt(id -> id)
                .toArray();
    }
}
