package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CompareCommandTest {
    private static final String TEXT = "src/test/resources/demo/valid.txt";

    @Test
    void aModelIsNoDifferentFromItself() {
        Run run = compare();
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out().lines())
                .satisfiesExactly(
                        line -> assertThat(line).isEqualTo("tokens                     1201"),
                        line -> assertThat(line).matches("perplexity {17}\\d+\\.\\d{4}"),
                        line -> assertThat(line).matches("perplexity, reference {6}\\d+\\.\\d{4}"),
                        line -> assertThat(line).isEqualTo("ratio                      1.000000"),
                        line -> assertThat(line).isEqualTo("KL divergence, mean        0.000000"),
                        line -> assertThat(line).isEqualTo("KL divergence, 99 %        0.000000"),
                        line -> assertThat(line).isEqualTo("KL divergence, largest     0.000000"),
                        line -> assertThat(line).isEqualTo("same token expected most   100.00 %"));
        assertThat(run.err()).containsPattern("model: weights .* KV cache .*; reference: weights .* KV cache ");
    }

    /// Measured on this text: 1.2 % of perplexity, 0.013 nats at the mean.
    @Test
    void fourBitsCostMoreThanEight() {
        JsonObject four = compare("--weights", "q4_0", "--json").json();
        JsonObject eight = compare("--weights", "q8_0", "--json").json();
        assertThat(four.get("tokens").getAsInt()).isEqualTo(1201);
        assertThat(four.get("perplexity_ratio").getAsDouble())
                .isBetween(1.001, 1.03)
                .isCloseTo(
                        four.get("perplexity").getAsDouble()
                                / four.get("reference_perplexity").getAsDouble(),
                        within(1e-9));
        assertThat(number(four, "kl_divergence_mean")).isBetween(0.003, 0.05);
        assertThat(number(four, "kl_divergence_p99"))
                .isBetween(number(four, "kl_divergence_mean"), number(four, "kl_divergence_max"));
        assertThat(number(four, "top1_agreement")).isBetween(0.85, 0.99);
        assertThat(number(eight, "kl_divergence_mean")).isBetween(0.0, number(four, "kl_divergence_mean") / 10);
        assertThat(number(eight, "top1_agreement")).isGreaterThan(number(four, "top1_agreement"));
        assertThat(four.getAsJsonObject("memory").get("converted_weights_bytes").getAsLong())
                .isPositive();
        assertThat(four.getAsJsonObject("reference_memory")
                        .get("converted_weights_bytes")
                        .getAsLong())
                .isZero();
    }

    /// The model and the reference are who they say they are.
    @Test
    void theReferenceIsTheOther() {
        JsonObject one = compare("--weights", "q4_0", "--json").json();
        JsonObject other = compare("--against", Run.DEMO, "--against-weights", "q4_0", "--json")
                .json();
        assertThat(number(one, "perplexity")).isEqualTo(number(other, "reference_perplexity"));
        assertThat(number(other, "perplexity")).isEqualTo(number(one, "reference_perplexity"));
        assertThat(number(one, "kl_divergence_mean")).isNotEqualTo(number(other, "kl_divergence_mean"));
        JsonObject score = Run.of("score", "-f", TEXT, "--window", "512", "--weights", "q4_0", "--json")
                .json();
        assertThat(number(score, "perplexity")).isCloseTo(number(one, "perplexity"), within(1e-9));
    }

    @Test
    void windowsOverlapAsInScore() {
        List<String> cut = List.of("-f", TEXT, "--window", "256", "--stride", "64", "--json");
        JsonObject compared = Run.of(with("compare", cut)).json();
        JsonObject scored = Run.of(with("score", cut)).json();
        assertThat(compared.get("stride").getAsInt()).isEqualTo(64);
        assertThat(number(compared, "perplexity")).isCloseTo(number(scored, "perplexity"), within(1e-6));
        assertThat(number(compared, "perplexity"))
                .isLessThan(number(compare("--json").json(), "perplexity"));
    }

    @Test
    void idsNeedNoTokenizer() {
        String folder = "src/test/resources/oracle/gemma3-text";
        JsonObject json =
                Run.of("compare", "-m", folder, "--ids", "2,5,6,7,8", "--json").json();
        JsonObject score =
                Run.of("score", "-m", folder, "--ids", "2,5,6,7,8", "--json").json();
        assertThat(json.get("tokens").getAsInt()).isEqualTo(4);
        assertThat(json.has("window")).isFalse();
        assertThat(number(json, "perplexity")).isCloseTo(number(score, "perplexity"), within(1e-6));
    }

    @Test
    void mistakesAreTold() throws IOException {
        assertRefused(
                Failures.USAGE,
                "vocabulary: got 2048 tokens in src/demo and ",
                "--against",
                "src/test/resources/oracle/gemma3-text");
        assertRefused(Failures.FAILED, "/nowhere: no such file or folder", "--against", "/nowhere");
        assertRefused(Failures.USAGE, "Invalid value for option '--against-weights'", "--against-weights", "q3");
        Run none = Run.of("compare", "-f", "src");
        assertThat(none.code()).isEqualTo(Failures.FAILED);
        assertThat(none.err()).contains("src: got a folder, need a text file");
        assertThat(Files.isDirectory(Path.of("src"))).isTrue();
    }

    private static void assertRefused(int code, String message, String... options) {
        Run run = compare(options);
        assertThat(run.code()).as(run.err()).isEqualTo(code);
        assertThat(run.out()).isEmpty();
        assertThat(run.err()).contains(message).doesNotContain("\tat ");
    }

    private static double number(JsonObject object, String key) {
        return object.get(key).getAsDouble();
    }

    private static Run compare(String... options) {
        List<String> arguments = new ArrayList<>(List.of("-f", TEXT, "--window", "512"));
        arguments.addAll(List.of(options));
        return Run.of(with("compare", arguments));
    }

    private static String[] with(String command, List<String> arguments) {
        List<String> all = new ArrayList<>(List.of(command));
        all.addAll(arguments);
        return all.toArray(String[]::new);
    }
}
