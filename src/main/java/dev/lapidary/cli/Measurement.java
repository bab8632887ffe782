package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.Arithmetic;
import dev.lapidary.Benchmark.Work;
import dev.lapidary.MachineLimits;
import dev.lapidary.Profile;
import dev.lapidary.Workload;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// How long the runs of a workload took, and what the machine could do at most beside them.
final class Measurement {
    private final Workload workload;
    private final Work work;
    private final Arithmetic arithmetic;
    private final MachineLimits limits;
    private final @Nullable Profile profile;
    private final double[] sorted;

    /// @param work       what the workload needs
    /// @param arithmetic of its products over many rows
    /// @param limits     measured before and after
    /// @param profile    where the time goes; null if nobody asked
    /// @param seconds    one per run, at least one
    Measurement(
            Workload workload,
            Work work,
            Arithmetic arithmetic,
            MachineLimits limits,
            @Nullable Profile profile,
            double... seconds) {
        this.workload = workload;
        this.work = work;
        this.arithmetic = arithmetic;
        this.limits = limits;
        this.profile = profile;
        sorted = seconds.clone();
        Arrays.sort(sorted);
    }

    Workload workload() {
        return workload;
    }

    Work work() {
        return work;
    }

    Arithmetic arithmetic() {
        return arithmetic;
    }

    @Nullable
    Profile profile() {
        return profile;
    }

    double medianSeconds() {
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    double medianRate() {
        return workload.totalTokens() / medianSeconds();
    }

    double slowestRate() {
        return workload.totalTokens() / sorted[sorted.length - 1];
    }

    double fastestRate() {
        return workload.totalTokens() / sorted[0];
    }

    double bytesPerSecond() {
        return work.bytes() / medianSeconds();
    }

    double operationsPerSecond() {
        return work.operations() / medianSeconds();
    }

    /// Share of the read bandwidth that the bytes it needs amount to.
    double ofBandwidth() {
        return bytesPerSecond() / limits.readBytesPerSecond();
    }

    /// Share of the peak of its arithmetic; 0 where that is not known.
    double ofPeak() {
        double peak = limits.peak(arithmetic);
        return peak > 0 ? operationsPerSecond() / peak : 0;
    }

    /// Whether memory is what keeps it from being faster, and not arithmetic.
    boolean boundByMemory() {
        return ofBandwidth() >= ofPeak();
    }

    /// Share of the limit that binds: how close it is to the fastest that this machine can be.
    double ofLimit() {
        return Math.max(ofBandwidth(), ofPeak());
    }

    /// Name of the limit that binds: `read` or `BF16`.
    String limitName() {
        return boundByMemory() ? "read" : arithmetic.name();
    }

    JsonObject json() {
        JsonArray seconds = new JsonArray();
        Arrays.stream(sorted).forEach(seconds::add);
        JsonObject json = new JsonObject();
        json.addProperty("phase", workload.phase().name().toLowerCase(Locale.ROOT));
        json.addProperty("sequences", workload.sequences());
        json.addProperty("depth", workload.depth());
        json.addProperty("tokens", workload.tokens());
        json.addProperty("median_tokens_per_second", medianRate());
        json.addProperty("slowest_tokens_per_second", slowestRate());
        json.addProperty("fastest_tokens_per_second", fastestRate());
        if (workload.phase() == Workload.Phase.IMAGE) {
            json.addProperty("median_images_per_second", 1 / medianSeconds());
        }
        json.addProperty("median_seconds", medianSeconds());
        json.add("seconds", seconds);
        json.addProperty("operations", work.operations());
        json.addProperty("bytes", work.bytes());
        json.addProperty("operations_per_second", operationsPerSecond());
        json.addProperty("bytes_per_second", bytesPerSecond());
        Json.addNumber(json, "of_read_bandwidth", ofBandwidth());
        Json.addNumber(json, "of_peak", ofPeak());
        json.addProperty("bound_by", boundByMemory() ? "memory" : "arithmetic");
        json.add("limits", json(limits));
        if (profile != null) {
            json.add("profile", json(profile));
        }
        return json;
    }

    private static JsonObject json(Profile profile) {
        JsonArray parts = new JsonArray();
        for (Profile.Part part : profile.parts()) {
            JsonObject one = new JsonObject();
            one.addProperty("operation", part.operation());
            one.addProperty("calls", part.calls());
            one.addProperty("seconds", part.seconds());
            parts.add(one);
        }
        JsonObject json = new JsonObject();
        json.addProperty("seconds", profile.seconds());
        json.addProperty("seconds_outside_kernels", profile.secondsOutside());
        json.add("operations", parts);
        return json;
    }

    static JsonObject json(MachineLimits limits) {
        JsonObject json = new JsonObject();
        json.addProperty("read_bytes_per_second", limits.readBytesPerSecond());
        json.addProperty("f32_per_second", limits.f32PerSecond());
        json.addProperty("bf16_per_second", limits.bf16PerSecond());
        json.addProperty("bf16_by", limits.bf16By());
        json.addProperty("int8_per_second", limits.int8PerSecond());
        return json;
    }
}
