package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// What people get wrong, and what they are told: one line, no stack trace, nothing on standard output.
class MistakesTest {
    private static final String NO_TOKENIZER = "src/test/resources/oracle/gemma3-text";

    static Stream<Arguments> usageMistakes() {
        return Stream.of(
                mistake("Unmatched argument at index 0: 'generat'", "generat"),
                mistake("Unknown option: '--nonsense'", "generate", "--nonsense"),
                mistake("prompt: got none, need one of --prompt, --prompt-file and --ids", "generate"),
                mistake("prompt: got --prompt and --ids, need one of", "generate", "--prompt", "a", "--ids", "2"),
                mistake("--ids: got \"two\", need token ids like 2,17,5", "generate", "--ids", "2,two"),
                mistake("prompt: got 0 tokens, need 1 to 1024", "generate", "--ids", ""),
                mistake("ids[1]: got 99999, need 0 to 2047", "generate", "--ids", "2,99999"),
                mistake("prompt: got --ids, need a text", "generate", "--ids", "2", "--chat"),
                mistake("--fim-suffix: got --prompt too", "generate", "--prompt", "a", "--fim-suffix", "b"),
                mistake("backend: got \"zig\", need onednn, openblas", "generate", "--prompt", "a", "--backend", "zig"),
                mistake("threads: got 0, need at least 1", "generate", "--prompt", "a", "--threads", "0"),
                mistake("'--threads': 'many' is not an int", "generate", "--prompt", "a", "--threads", "many"),
                mistake("temperature: got -1.0, need 0 or more", "generate", "--prompt", "a", "-t", "-1"),
                mistake("max tokens: got -1, need 0 or more", "generate", "--prompt", "a", "-n", "-1"),
                mistake("Missing required option: '--out=FILE'", "logits", "--prompt", "a"),
                mistake("text: got none, need one of --file and --ids", "score"),
                mistake("text: got no token to score", "score", "--ids", "2"),
                mistake("--window: got 1, need 2 or more", "score", "--file", "-", "--window", "1"),
                mistake("--window: got 2048, need at most the 1024", "score", "--file", "-", "--window", "2048"),
                mistake("--stride: got 8, need 1 to 7: a window", "score", "-f", "-", "--window", "8", "--stride", "8"),
                mistake("--stride: got 8 without a window, need --window", "score", "--file", "-", "--stride", "8"),
                mistake("text: got none, need one of --file and --ids", "compare"),
                mistake("text: got no token to score", "compare", "--file", "-"),
                mistake("text: got an argument and --file", "tokenize", "a", "--file", "b"),
                mistake("ids: got \"x\", need token ids", "detokenize", "x"),
                mistake("token id: got 2048, need 0 to 2047", "detokenize", "2048"),
                mistake("tokenizer: got --tokenizer and --model", "tokenize", "--tokenizer", "a", "-m", "b", "c"),
                mistake("--prompt: got a prompt, need --activations with it", "inspect", "--prompt", "a"),
                mistake("capacity: got 4096 tokens, need at most the 1024", "chat", "--capacity", "4096"),
                mistake("prefill 2000: got 2000 tokens, need at most 1024", "bench", "--prefill", "2000"),
                mistake("--depth: got -1, need 0 or more", "bench", "--depth", "-1"),
                mistake("--repetitions, --warm-up: got 0 and 2", "bench", "--repetitions", "0"),
                mistake("backend: got \"zig\"", "doctor", "--backend", "zig"));
    }

    static Stream<Arguments> failures() {
        return Stream.of(
                mistake("/nowhere: no such file or folder", "generate", "--model", "/nowhere", "--prompt", "a"),
                mistake(
                        "pom.xml: got a file, need a .gguf file or a folder",
                        "generate",
                        "--model",
                        "pom.xml",
                        "--prompt",
                        "a"),
                mistake("need config.json and model.safetensors", "generate", "--model", "src", "--prompt", "a"),
                mistake("got no tokenizer, need", "generate", "--model", NO_TOKENIZER, "--prompt", "a"),
                mistake("got no tokenizer, need", "chat", "--model", NO_TOKENIZER),
                mistake("/nowhere: no such file or folder", "generate", "--prompt-file", "/nowhere"),
                mistake("its folder does not exist", "logits", "--ids", "2", "--out", "/nowhere/a.safetensors"),
                mistake("/nowhere: no such file or folder", "tokenize", "-m", "/nowhere", "a"));
    }

    @ParameterizedTest
    @MethodSource("usageMistakes")
    void aMistakeOnTheCommandLineIsCodeTwo(String message, String... arguments) {
        assertTold(Failures.USAGE, message, arguments);
    }

    @ParameterizedTest
    @MethodSource("failures")
    void workThatFailsIsCodeOne(String message, String... arguments) {
        assertTold(Failures.FAILED, message, arguments);
    }

    @Test
    void aDamagedCheckpointIsNamed(@TempDir Path folder) throws IOException {
        Files.copy(Path.of(Run.DEMO, "config.json"), folder.resolve("config.json"));
        Files.write(folder.resolve("model.safetensors"), new byte[] {1, 2, 3});
        assertTold(Failures.FAILED, "model.safetensors", "generate", "-m", folder.toString(), "--ids", "2");
    }

    @Test
    void aStackTraceIsShownToWhoAsksForIt() {
        Run run = Run.of("generate", "--model", "/nowhere", "--prompt", "a", "--stack-trace");
        assertThat(run.code()).isEqualTo(Failures.FAILED);
        assertThat(run.err())
                .contains("\tat dev.lapidary.cli.")
                .endsWith("lapidary: /nowhere: no such file or folder\n");
    }

    @Test
    void aSimilarCommandIsSuggested() {
        assertThat(Run.of("tokenise").err()).contains("Did you mean", "tokenize", "See lapidary --help");
    }

    private static void assertTold(int code, String message, String... arguments) {
        Run run = Run.of(arguments);
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(message).doesNotContain("\tat ", "Exception");
        assertThat(run.err().lines().filter(line -> line.startsWith("lapidary: ")))
                .hasSizeBetween(1, 2);
    }

    private static Arguments mistake(String message, String... arguments) {
        return Arguments.of(message, arguments);
    }
}
