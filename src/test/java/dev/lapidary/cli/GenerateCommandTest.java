package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.model.Golden;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class GenerateCommandTest {
    private static final String BEGINNING = "In the beginning";

    static List<DemoGolden> demoCases() {
        return DemoGolden.all();
    }

    static List<Golden> oracleCases() {
        return Golden.TEXT_CASES.stream().map(Golden::of).toList();
    }

    @ParameterizedTest
    @MethodSource("demoCases")
    void greedyTextIsTheReferences(DemoGolden golden) {
        Run run = Run.of(
                "generate", "--prompt", golden.text(), "-t", "0", "--max-tokens", "48", "--compute", "f32", "--json");
        JsonObject json = run.json();
        assertThat(run.ids("ids")).isEqualTo(golden.continuation());
        assertThat(json.get("text").getAsString()).isEqualTo(golden.decoded());
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("max_tokens");
        assertThat(json.get("prompt_tokens").getAsInt())
                .isEqualTo(golden.prompt().size());
        assertThat(json.has("stop_token")).isFalse();
    }

    @ParameterizedTest
    @MethodSource("oracleCases")
    void idsNeedNoTokenizer(Golden golden) {
        String[] arguments = {
            "generate",
            "--model",
            golden.folder().toString(),
            "--ids",
            TokenIds.text(golden.prompt()),
            "--temperature",
            "0",
            "--max-tokens",
            Integer.toString(golden.continuation().length),
            "--ignore-eos",
            "--compute",
            "f32"
        };
        assertThat(Run.of(arguments)).isEqualTo(new Run(0, TokenIds.text(golden.continuation()) + "\n", ""));
        Run json = Run.of(and(arguments, "--json"));
        assertThat(json.ids("ids"))
                .containsExactlyElementsOf(
                        Arrays.stream(golden.continuation()).boxed().toList());
        assertThat(json.json().has("text")).isFalse();
    }

    @Test
    void textStreamsToStandardOutputAndNothingElseDoes() {
        DemoGolden golden = DemoGolden.all().getFirst();
        Run run = Run.of("generate", "--prompt", golden.text(), "-t", "0", "-n", "48", "--compute", "f32");
        assertThat(run.code()).isZero();
        assertThat(run.out()).isEqualTo(golden.decoded() + "\n");
        assertThat(run.err()).contains("using the demo model in " + Run.DEMO).hasLineCount(1);
    }

    @Test
    void theModelIsNamedOnlyWhereNobodyAskedForIt() {
        assertThat(Run.of("generate", "--model", Run.DEMO, "--prompt", BEGINNING, "-n", "1")
                        .err())
                .isEmpty();
    }

    @Test
    void aSeedMakesTheText() {
        String first = Run.of("generate", "--prompt", BEGINNING, "-n", "30").out();
        assertThat(Run.of("generate", "--prompt", BEGINNING, "-n", "30", "--seed", "1")
                        .out())
                .isEqualTo(first);
        assertThat(Run.of("generate", "--prompt", BEGINNING, "-n", "30", "--seed", "2")
                        .out())
                .isNotEqualTo(first);
    }

    @Test
    void thePromptMayComeFromAFileOrAPipe(@TempDir Path folder) throws IOException {
        Path file = Files.writeString(folder.resolve("prompt.txt"), BEGINNING);
        Run argument = Run.of("generate", "--prompt", BEGINNING, "-n", "10");
        assertThat(Run.of("generate", "--prompt-file", file.toString(), "-n", "10"))
                .isEqualTo(argument);
        assertThat(Run.withInput(BEGINNING, "generate", "--prompt", "-", "-n", "10"))
                .isEqualTo(argument);
    }

    @Test
    void aStopStringIsNotPartOfTheText() {
        Run run =
                Run.of("generate", "--prompt", BEGINNING, "-t", "0", "--compute", "f32", "--stop", " light", "--json");
        assertThat(run.json().get("text").getAsString()).isEqualTo(" of the world, and the");
        assertThat(run.json().get("finish_reason").getAsString()).isEqualTo("stop");
    }

    @Test
    void aStopTokenIsToldBesideTheIds(@TempDir Path folder) throws IOException {
        List<Integer> continuation = DemoGolden.all().getFirst().continuation();
        int stop = continuation.get(2);
        try (Stream<Path> files = Files.list(Path.of(Run.DEMO))) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName()));
            }
        }
        Files.writeString(folder.resolve("generation_config.json"), "{\"eos_token_id\": [1, %d]}".formatted(stop));
        String[] arguments = {
            "generate", "-m", folder.toString(), "-p", BEGINNING, "-t", "0", "-n", "8", "--compute", "f32", "--json"
        };
        Run stopped = Run.of(arguments);
        assertThat(stopped.ids("ids")).isEqualTo(continuation.subList(0, 2));
        assertThat(stopped.json().get("stop_token").getAsInt()).isEqualTo(stop);
        assertThat(stopped.json().get("finish_reason").getAsString()).isEqualTo("stop");
        assertThat(Run.of(and(arguments, "--ignore-eos")).ids("ids")).isEqualTo(continuation.subList(0, 8));
    }

    @Test
    void logProbabilitiesAreThoseThatScoreGives() {
        Run generated = Run.of(
                "generate",
                "--ids",
                "2,2012,1992,280,1801,1248",
                "-n",
                "12",
                "--compute",
                "f32",
                "--json",
                "--log-probs");
        String all = "2,2012,1992,280,1801,1248,"
                + generated.ids("ids").stream().map(String::valueOf).collect(Collectors.joining(","));
        JsonArray scored = Run.of("score", "--ids", all, "--compute", "f32", "--json")
                .json()
                .getAsJsonArray("log_probs");
        JsonArray told = generated.json().getAsJsonArray("log_probs");
        assertThat(told).hasSize(12);
        for (int i = 0; i < told.size(); i++) {
            assertThat(told.get(i).getAsDouble())
                    .isNegative()
                    .isCloseTo(scored.get(scored.size() - 12 + i).getAsDouble(), within(1e-4));
        }
    }

    @Test
    void logProbabilitiesAreLinesWithoutJson() {
        Run run = Run.of("generate", "--prompt", BEGINNING, "-t", "0", "-n", "3", "--compute", "f32", "--log-probs");
        assertThat(run.out().lines()).hasSize(3).first().asString().matches("290\\t-\\d+\\.\\d{6}\\t of");
    }

    @Test
    void timingsAreTold() {
        JsonObject timings = Run.of("generate", "--prompt", BEGINNING, "-n", "5", "--json")
                .json()
                .getAsJsonObject("timings");
        assertThat(timings.keySet())
                .containsExactly(
                        "prompt_seconds",
                        "prompt_tokens_per_second",
                        "generation_seconds",
                        "generation_tokens_per_second",
                        "time_to_first_token_seconds");
        assertThat(timings.get("time_to_first_token_seconds").getAsDouble())
                .isGreaterThanOrEqualTo(timings.get("prompt_seconds").getAsDouble());
        double rate = timings.get("generation_tokens_per_second").getAsDouble();
        assertThat(rate).isGreaterThan(4 / timings.get("generation_seconds").getAsDouble());
    }

    @Test
    void statsGoToStandardError() {
        Run run = Run.of("generate", "--prompt", BEGINNING, "-n", "5", "--stats");
        assertThat(run.out()).hasLineCount(1);
        assertThat(run.err()).contains("prompt      6 tokens in", "generation  5 tokens in", "first token", "KV cache");
    }

    @Test
    void noTokensMayBeAskedFor() {
        JsonObject json =
                Run.of("generate", "--prompt", BEGINNING, "-n", "0", "--json").json();
        assertThat(json.getAsJsonArray("ids")).isEmpty();
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("max_tokens");
        assertThat(json.getAsJsonObject("timings").has("time_to_first_token_seconds"))
                .isFalse();
    }

    @Test
    void aFullModelEndsTheText() {
        String ids = Stream.generate(() -> "280").limit(1020).collect(Collectors.joining(","));
        JsonObject json = Run.of("generate", "--ids", ids, "-n", "50", "--ignore-eos", "--json")
                .json();
        assertThat(json.getAsJsonArray("ids")).hasSize(4);
        assertThat(json.get("finish_reason").getAsString()).isEqualTo("capacity");
    }

    @Test
    void chatPutsThePromptInATurn() {
        Run turn = Run.of("generate", "--prompt", "Who?", "--chat", "-n", "5", "--json");
        Run written = Run.of(
                "generate",
                "--prompt",
                "<start_of_turn>user\nWho?<end_of_turn>\n<start_of_turn>model\n",
                "-n",
                "5",
                "--json");
        assertThat(turn.ids("ids")).isEqualTo(written.ids("ids"));
        assertThat(turn.json().get("prompt_tokens")).isEqualTo(written.json().get("prompt_tokens"));
    }

    @Test
    void aGapIsFilled() {
        Run gap = Run.of("generate", "--fim-prefix", "And ", "--fim-suffix", " said", "-n", "5", "--json");
        Run written = Run.of(
                "generate", "--prompt", "<|fim_prefix|>And <|fim_suffix|> said<|fim_middle|>", "-n", "5", "--json");
        assertThat(gap.ids("ids")).isEqualTo(written.ids("ids"));
        assertThat(gap.json().get("prompt_tokens")).isEqualTo(written.json().get("prompt_tokens"));
    }

    private static String[] and(String[] arguments, String one) {
        String[] more = Arrays.copyOf(arguments, arguments.length + 1);
        more[arguments.length] = one;
        return more;
    }
}
