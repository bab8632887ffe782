package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import java.util.Arrays;

/// How long the runs of a workload took.
final class Measurement {
    private final Workload workload;
    private final double[] sorted;

    /// @param seconds one per run, at least one
    Measurement(Workload workload, double... seconds) {
        this.workload = workload;
        sorted = seconds.clone();
        Arrays.sort(sorted);
    }

    Workload workload() {
        return workload;
    }

    double medianSeconds() {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    double medianRate() {
        return workload.tokens() / medianSeconds();
    }

    double slowestRate() {
        return workload.tokens() / sorted[sorted.length - 1];
    }

    double fastestRate() {
        return workload.tokens() / sorted[0];
    }

    JsonObject json() {
        JsonArray seconds = new JsonArray();
        Arrays.stream(sorted).forEach(seconds::add);
        JsonObject json = new JsonObject();
        json.addProperty("phase", workload.decodes() ? "decode" : "prefill");
        json.addProperty("depth", workload.depth());
        json.addProperty("tokens", workload.tokens());
        json.addProperty("median_tokens_per_second", medianRate());
        json.addProperty("slowest_tokens_per_second", slowestRate());
        json.addProperty("fastest_tokens_per_second", fastestRate());
        json.addProperty("median_seconds", medianSeconds());
        json.add("seconds", seconds);
        return json;
    }
}
