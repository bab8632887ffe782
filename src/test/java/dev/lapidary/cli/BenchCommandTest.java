package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import org.junit.jupiter.api.Test;

class BenchCommandTest {
    private static final String[] SHORT = {
        "bench", "--prefill", "8,16", "--depth", "4", "--decode", "3", "--repetitions", "2", "--warm-up", "1"
    };

    @Test
    void everyWorkloadIsMeasured() {
        JsonObject json = Run.of(
                        "bench",
                        "--prefill",
                        "8,16",
                        "--depth",
                        "4",
                        "--decode",
                        "3",
                        "--repetitions",
                        "2",
                        "--json",
                        "--backend",
                        "openblas",
                        "--compute",
                        "f32")
                .json();
        assertThat(json.get("backend").getAsString()).isEqualTo("openblas");
        assertThat(json.get("compute").getAsString()).isEqualTo("f32");
        JsonArray results = json.getAsJsonArray("results");
        assertThat(results).hasSize(3);
        assertThat(results.get(1).toString()).contains("\"phase\":\"prefill\",\"depth\":0,\"tokens\":16");
        assertThat(results.get(2).toString()).contains("\"phase\":\"decode\",\"depth\":4,\"tokens\":3");
        JsonObject first = results.get(0).getAsJsonObject();
        assertThat(first.getAsJsonArray("seconds")).hasSize(2);
        double slowest = first.get("slowest_tokens_per_second").getAsDouble();
        double fastest = first.get("fastest_tokens_per_second").getAsDouble();
        assertThat(slowest).isPositive();
        assertThat(first.get("median_tokens_per_second").getAsDouble()).isBetween(slowest, fastest);
    }

    @Test
    void resultsAreATable() {
        Run run = Run.of(SHORT);
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .startsWith("gemma3_text: 3,126,720 parameters, backend onednn")
                .containsPattern("\nprefill 8 +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d+ m?s\n")
                .containsPattern("\ndecode 3 at 4 +\\d");
    }

    @Test
    void theMedianIsInTheMiddle() {
        Measurement odd = new Measurement(Workload.prefill(10), 3, 1, 2);
        assertThat(odd.medianSeconds()).isEqualTo(2);
        assertThat(odd.medianRate()).isEqualTo(5);
        assertThat(odd.slowestRate()).isCloseTo(10 / 3.0, within(1e-12));
        assertThat(odd.fastestRate()).isEqualTo(10);
        assertThat(new Measurement(Workload.prefill(1), 4, 1, 2, 10).medianSeconds())
                .isEqualTo(3);
    }
}
