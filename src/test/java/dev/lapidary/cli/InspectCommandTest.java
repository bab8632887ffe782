package dev.lapidary.cli;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Golden;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.Test;

class InspectCommandTest {
    // Of the demo model's config.json
    private static final int EMBEDDING = 2048 * 192;
    private static final int ATTENTION = 6 * (192 * (256 + 64 + 64) + 256 * 192 + 2 * 64);
    private static final int FEED_FORWARD = 6 * 3 * 192 * 576;
    private static final int NORMS = 6 * 4 * 192 + 192;

    @Test
    void modulesReadAsPeopleKnowThem() {
        Run run = Run.of("inspect");
        assertThat(run.code()).isZero();
        assertThat(run.out())
                .startsWith("""
                    gemma3_text (
                      (embedding): BF16 [2048, 192]
                      (layers): (
                        (0-4): 5 x local, window 128 (
                          (preAttentionNorm): F32 [1, 192]
                          (attention): (
                            (queryProjection): BF16 [256, 192]
                    """)
                .contains("\n    (5): global (\n", "\n  (head): BF16 [2048, 192] tied to embedding\n)\n");
    }

    @Test
    void partsAddUp() {
        JsonObject json = Run.of("inspect", "--json").json();
        assertThat(part(json, "embedding")).isEqualTo(EMBEDDING);
        assertThat(part(json, "attention")).isEqualTo(ATTENTION);
        assertThat(part(json, "feedForward")).isEqualTo(FEED_FORWARD);
        assertThat(part(json, "norms")).isEqualTo(NORMS);
        assertThat(part(json, "head")).isZero();
        assertThat(json.get("parameters").getAsInt()).isEqualTo(EMBEDDING + ATTENTION + FEED_FORWARD + NORMS);
        assertThat(json.getAsJsonObject("modules").get("parameters")).isEqualTo(json.get("parameters"));
    }

    @Test
    void traitsAreThoseOfTheConfig() {
        JsonArray layers = Run.of("inspect", "--json").json().getAsJsonArray("layers");
        assertThat(layers).hasSize(6);
        assertThat(layers.get(0).toString())
                .contains(
                        "\"attention\":\"local\"",
                        "\"window\":128",
                        "\"rope_theta\":10000.0",
                        "\"query_key_norm\":true");
        assertThat(layers.get(5).toString())
                .contains("\"attention\":\"global\"", "\"window\":0", "\"rope_theta\":1000000.0", "\"heads\":4");
        assertThat(Run.of("inspect").out()).containsPattern("\n0-4 +local +128 +4 +1 +64 +576 +10000 ");
    }

    @Test
    void keysAndValuesAreCounted() {
        JsonObject json = Run.of("inspect", "--json", "--capacity", "1000").json();
        JsonObject cache = json.getAsJsonObject("kv_cache");
        int layer = 2 * 64 * 4; // key and value of one head, F32
        assertThat(cache.get("bytes_per_token").getAsInt()).isEqualTo(6 * layer);
        assertThat(cache.get("bytes_per_token_beyond_windows").getAsInt()).isEqualTo(layer);
        assertThat(cache.get("window_bytes").getAsInt()).isEqualTo(5 * 128 * layer);
        JsonObject memory = json.getAsJsonObject("memory");
        assertThat(memory.get("capacity").getAsInt()).isEqualTo(1000);
        assertThat(memory.get("kv_cache_bytes").getAsInt()).isGreaterThan(1000 * layer + 5 * 128 * layer);
        assertThat(memory.get("total_bytes").getAsLong())
                .isEqualTo(memory.get("weights_bytes").getAsLong()
                        + memory.get("kv_cache_bytes").getAsLong()
                        + memory.get("workspace_bytes").getAsLong());
    }

    @Test
    void recurrentLayersShowWhatTheyHave() {
        String folder = Golden.of("recurrentgemma").folder().toString();
        Run run = Run.of("inspect", "-m", folder);
        assertThat(run.code()).as(run.err()).isZero();
        assertThat(run.out())
                .startsWith("recurrent_gemma (")
                .contains("(recurrence): (", "(xProjection): BF16", "(convolution): F32 [4, ", "(recurrenceGate): ")
                .containsPattern("\n0-1 +recurrent +- +\\d+ +0 +\\d+ +\\d+ +- +- +- ")
                .containsPattern("\n2 +local +\\d+ ");
        JsonObject json = Run.of("inspect", "-m", folder, "--json").json();
        assertThat(part(json, "recurrence")).isPositive();
        long parameters = json.getAsJsonArray("parts").asList().stream()
                .mapToLong(part -> part.getAsJsonObject().get("parameters").getAsLong())
                .sum();
        assertThat(json.get("parameters").getAsLong()).isEqualTo(parameters);
        JsonObject first = json.getAsJsonArray("layers").get(0).getAsJsonObject();
        assertThat(first.get("attention").getAsString()).isEqualTo("recurrent");
        assertThat(first.get("kv_heads").getAsInt()).isZero();
        long longer = Run.of("inspect", "-m", folder, "--json", "--capacity", "100000")
                .json()
                .getAsJsonObject("memory")
                .get("kv_cache_bytes")
                .getAsLong();
        assertThat(json.getAsJsonObject("memory").get("kv_cache_bytes").getAsLong())
                .isPositive()
                .isEqualTo(longer);
    }

    @Test
    void activationsAreThoseOfTheReference() {
        Golden golden = Golden.of("gemma3-text");
        JsonObject json = Run.of(
                        "inspect",
                        "-m",
                        golden.folder().toString(),
                        "--activations",
                        "--ids",
                        TokenIds.text(golden.prompt()),
                        "--compute",
                        "f32",
                        "--chunk",
                        "7",
                        "--json")
                .json();
        List<JsonObject> residuals = json.getAsJsonArray("activations").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(one -> one.get("stage").getAsString().equals("residual"))
                .toList();
        try (Arena arena = Arena.ofConfined()) {
            Matrix states = golden.tensor("hidden_states", arena); // [(layers + 1) * seq, embedding]
            int seq = golden.prompt().length;
            assertThat(residuals).hasSize(states.rows() / seq);
            // The reference's last state is normed, ours is not
            for (int i = 0; i < residuals.size() - 1; i++) {
                assertThat(residuals.get(i).get("layer").getAsInt()).isEqualTo(i - 1);
                assertDistribution(residuals.get(i), states.rows(i * seq, seq));
            }
        }
    }

    @Test
    void everyStageOfEveryLayerIsShown() {
        Run run = Run.of("inspect", "--activations", "--prompt", "In the beginning");
        for (String stage : List.of("attention", "gated", "feed forward", "residual")) {
            assertThat(run.out())
                    .containsPattern("\n5 +" + stage + " +-?\\d+\\.\\d{5} +\\d+\\.\\d{5} +\\d+\\.\\d\\d %\n");
        }
    }

    private static void assertDistribution(JsonObject got, Matrix values) {
        double sum = 0;
        double squares = 0;
        long count = (long) values.rows() * values.cols();
        for (int row = 0; row < values.rows(); row++) {
            for (int col = 0; col < values.cols(); col++) {
                sum += get(values, row, col);
                squares += get(values, row, col) * get(values, row, col);
            }
        }
        double mean = sum / count;
        assertThat(got.get("mean").getAsDouble()).isCloseTo(mean, within(1e-4));
        assertThat(got.get("standard_deviation").getAsDouble())
                .isCloseTo(Math.sqrt(squares / count - mean * mean), within(1e-3));
    }

    private static int part(JsonObject json, String name) {
        return json.getAsJsonArray("parts").asList().stream()
                .map(JsonElement::getAsJsonObject)
                .filter(part -> part.get("name").getAsString().equals(name))
                .mapToInt(part -> part.get("parameters").getAsInt())
                .sum();
    }
}
