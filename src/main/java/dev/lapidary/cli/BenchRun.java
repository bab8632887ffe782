package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.MachineLimits;
import dev.lapidary.ModelDescription;
import dev.lapidary.Options;
import java.util.List;
import java.util.Locale;

/// What was measured of a model under one setting.
///
/// @param model        the model's shape
/// @param weightFormat how its layers' weights are stored
/// @param options      the setting
/// @param limits       the best that was seen of the machine during the run
/// @param measurements in the order they were taken
record BenchRun(
        ModelDescription model,
        String weightFormat,
        Options options,
        MachineLimits limits,
        List<Measurement> measurements) {
    BenchRun {
        measurements = List.copyOf(measurements);
    }

    /// `BF16 weights, backend onednn, 2 threads, compute fast, chunk 512, KV cache f32`.
    String setting() {
        return "%s weights, backend %s, %d threads, compute %s, chunk %d, KV cache %s"
                .formatted(
                        weightFormat,
                        options.backend(),
                        options.threads(),
                        lowerCase(options.compute()),
                        options.chunk(),
                        lowerCase(options.kvCache()));
    }

    JsonObject json() {
        JsonObject json = new JsonObject();
        json.addProperty("weights", weightFormat);
        json.addProperty("backend", options.backend());
        json.addProperty("threads", options.threads());
        json.addProperty("compute", lowerCase(options.compute()));
        json.addProperty("chunk", options.chunk());
        json.addProperty("kv_cache", lowerCase(options.kvCache()));
        json.add("limits", Measurement.json(limits));
        json.add(
                "results",
                Json.array(measurements.stream().map(Measurement::json).toList()));
        return json;
    }

    private static String lowerCase(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
