package dev.lapidary.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.lapidary.Arithmetic;
import dev.lapidary.Benchmark.Work;
import dev.lapidary.MachineLimits;
import dev.lapidary.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    private static final MachineLimits LIMITS = new MachineLimits(20, 200, 400, "matmul", 800);

    @TempDir
    private Path folder;

    @Test
    void everyWorkloadIsMeasured() {
        JsonObject json = bench("--prefill", "16", "--batch", "3", "--json", "--sweep", "threads=1,2");
        assertThat(json.getAsJsonObject("machine").has("processor")).isTrue();
        JsonArray runs = json.getAsJsonArray("runs");
        assertThat(runs).hasSize(2);
        JsonObject run = runs.get(1).getAsJsonObject();
        assertThat(run.get("backend").getAsString()).isEqualTo("openblas");
        assertThat(run.get("compute").getAsString()).isEqualTo("f32");
        assertThat(run.get("threads").getAsInt()).isEqualTo(2);
        assertThat(run.get("weights").getAsString()).isEqualTo("BF16");
        assertThat(run.getAsJsonObject("limits").get("read_bytes_per_second").getAsDouble())
                .isPositive();
        JsonArray results = run.getAsJsonArray("results");
        assertThat(results).hasSize(3);
        assertThat(results.get(0).toString())
                .contains("\"phase\":\"prefill\",\"sequences\":1,\"depth\":0,\"tokens\":16");
        assertThat(results.get(1).toString()).contains("\"phase\":\"decode\",\"sequences\":1,\"depth\":4,\"tokens\":3");
        assertThat(results.get(2).toString()).contains("\"phase\":\"batch\",\"sequences\":3,\"depth\":4,\"tokens\":3");
        JsonObject first = results.get(0).getAsJsonObject();
        assertThat(first.getAsJsonArray("seconds")).hasSize(2);
        double slowest = first.get("slowest_tokens_per_second").getAsDouble();
        double fastest = first.get("fastest_tokens_per_second").getAsDouble();
        assertThat(slowest).isPositive();
        assertThat(first.get("median_tokens_per_second").getAsDouble()).isBetween(slowest, fastest);
        assertThat(first.get("of_peak").getAsDouble()).isPositive();
    }

    @Test
    void keysAndValuesMayBeBf16() {
        JsonArray runs = bench("--prefill", "16", "--json", "--sweep", "kv-cache=f32,bf16")
                .getAsJsonArray("runs");
        double exact = cacheFormatAndBytes(runs.get(0).getAsJsonObject(), "f32");
        assertThat(cacheFormatAndBytes(runs.get(1).getAsJsonObject(), "bf16")).isLessThan(exact);
    }

    private static double cacheFormatAndBytes(JsonObject run, String format) {
        assertThat(run.get("kv_cache").getAsString()).isEqualTo(format);
        JsonObject decode = run.getAsJsonArray("results").get(1).getAsJsonObject();
        return decode.get("bytes").getAsDouble();
    }

    @Test
    void resultsAreATableAndAPage() throws Exception {
        Path page = folder.resolve("report.html");
        Run run = run("--prefill", "8,16", "--batch", "1,3", "--report", page.toString());
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .startsWith("gemma3_text: 3,126,720 parameters, BF16 weights, backend openblas")
                .containsPattern("\nThis machine at most: read \\d+\\.\\d GB/s, F32 \\d+\\.\\d GFLOP/s")
                .containsPattern(
                        "\nprefill 8 +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d +\\d+\\.\\d+ [mµ]?s .* % of (F32|INT8|read)\n")
                .containsPattern("\ndecode 3 at 4 +\\d")
                .containsPattern("\nbatch of 3 at 4 +\\d");
        assertThat(run.err()).contains("wrote " + page);
        String html = Files.readString(page);
        assertThat(DocumentBuilderFactory.newInstance()
                        .newDocumentBuilder()
                        .parse(page.toFile())
                        .getElementsByTagName("svg")
                        .getLength())
                .isEqualTo(4); // bars, roofline, prefill, batch; one depth makes no curve
        assertThat(html).doesNotContain("NaN", "Infinity", "http", "<script");
        String rate = run.out()
                .lines()
                .filter(line -> line.startsWith("prefill 8"))
                .map(line -> line.split(" +", -1)[2])
                .findFirst()
                .orElseThrow();
        assertThat(html).contains("<td>" + rate + "</td>", rate + " tokens/s");
    }

    @Test
    void aShapeNeedsNoFile() {
        JsonObject json = Run.of(
                        "bench",
                        "--shape",
                        "gemma-3-270m",
                        "--prefill",
                        "4",
                        "--depth",
                        "4",
                        "--decode",
                        "1",
                        "--repetitions",
                        "1",
                        "--warm-up",
                        "0",
                        "--chunk",
                        "16",
                        "--json")
                .json();
        assertThat(json.get("model").getAsString()).isEqualTo("gemma-3-270m");
        assertThat(json.get("random_weights").getAsBoolean()).isTrue();
        assertThat(json.get("parameters").getAsLong()).isEqualTo(268_098_176);
    }

    @Test
    void weightFormatsAreSweptAndTimeIsAccountedFor() {
        JsonObject json = bench("--prefill", "8", "--sweep", "weights=q8_0,q4_0", "--profile", "--json");
        JsonArray runs = json.getAsJsonArray("runs");
        assertThat(runs).hasSize(2);
        assertThat(runs.get(0).getAsJsonObject().get("weights").getAsString()).isEqualTo("Q8_0");
        assertThat(runs.get(1).getAsJsonObject().get("weights").getAsString()).isEqualTo("Q4_0 (head Q8_0)");
        for (JsonElement run : runs) {
            for (JsonElement result : run.getAsJsonObject().getAsJsonArray("results")) {
                JsonObject profile = result.getAsJsonObject().getAsJsonObject("profile");
                double sum = profile.get("seconds_outside_kernels").getAsDouble();
                assertThat(sum).isPositive();
                for (JsonElement operation : profile.getAsJsonArray("operations")) {
                    sum += operation.getAsJsonObject().get("seconds").getAsDouble();
                    assertThat(operation.getAsJsonObject().get("calls").getAsDouble())
                            .isPositive();
                }
                assertThat(profile.get("seconds").getAsDouble()).isCloseTo(sum, within(1e-6));
                assertThat(profile.toString()).contains("\"operation\":\"feedForward\"", "\"operation\":\"project\"");
            }
        }
        assertThat(run("--prefill", "8", "--profile").out())
                .contains("without sampling: ", "\nproject ", "\noutside kernels ");
    }

    @Test
    void mistakesAreNamed() {
        assertThat(Run.of("bench", "--shape", "gemma-3-1b", "--model", "src/demo")
                        .err())
                .contains("--shape: got gemma-3-1b beside --model, need one of them");
        assertThat(Run.of("bench", "--shape", "gemma-5").err()).contains("shape: got \"gemma-5\", need one of");
        assertThat(Run.of("bench", "--sweep", "colour=red").err())
                .contains("--sweep: got \"colour\", need backend, chunk, compute, head-weights, kv-cache, threads or"
                        + " weights");
        assertThat(Run.of("bench", "--sweep", "threads=two").err())
                .contains("--sweep threads: got \"two\", need numbers");
        assertThat(Run.of("bench", "--sweep", "compute=f64").err())
                .contains("--sweep compute: got \"f64\", need fast, f32");
    }

    @Test
    void theMedianIsInTheMiddle() {
        Measurement odd = measurement(Workload.prefill(10), 3, 1, 2);
        assertThat(odd.medianSeconds()).isEqualTo(2);
        assertThat(odd.medianRate()).isEqualTo(5);
        assertThat(odd.slowestRate()).isCloseTo(10 / 3.0, within(1e-12));
        assertThat(odd.fastestRate()).isEqualTo(10);
        assertThat(measurement(Workload.prefill(1), 4, 1, 2, 10).medianSeconds())
                .isEqualTo(3);
    }

    @Test
    void aShareIsThatOfTheLimitWhichBinds() {
        Measurement one = measurement(Workload.batch(4, 5, 10), 2);
        assertThat(one.medianRate()).isEqualTo(20);
        assertThat(one.bytesPerSecond()).isEqualTo(10); // of 20
        assertThat(one.operationsPerSecond()).isEqualTo(300); // of 400
        assertThat(one.ofBandwidth()).isEqualTo(0.5);
        assertThat(one.ofPeak()).isEqualTo(0.75);
        assertThat(one.boundByMemory()).isFalse();
        assertThat(one.ofLimit()).isEqualTo(0.75);
        assertThat(one.limitName()).isEqualTo("BF16");
    }

    @Test
    void ticksAreRoundAndCoverTheValues() {
        Axis linear = Axis.linear(1370, 100, 0);
        assertThat(linear.most()).isBetween(1370.0, 2000.0);
        assertThat(linear.at(0)).isEqualTo(100);
        assertThat(linear.ticks()).startsWith(0.0).hasSizeBetween(4, 9);
        Axis logarithmic = Axis.logarithmic(0.7, 300, 0, 100);
        assertThat(logarithmic.ticks()).startsWith(0.5, 2.0).allMatch(tick -> tick <= 512);
        assertThat(logarithmic.at(16)).isEqualTo(50, within(1e-9));
    }

    private static Measurement measurement(Workload workload, double... seconds) {
        return new Measurement(workload, new Work(600, 20), Arithmetic.BF16, LIMITS, null, seconds);
    }

    private static JsonObject bench(String... more) {
        return run(more).json();
    }

    private static Run run(String... more) {
        return Run.of(Stream.concat(
                        Stream.of(
                                "bench",
                                "--depth",
                                "4",
                                "--decode",
                                "3",
                                "--repetitions",
                                "2",
                                "--warm-up",
                                "1",
                                "--backend",
                                "openblas",
                                "--compute",
                                "f32"),
                        Stream.of(more))
                .toArray(String[]::new));
    }
}
