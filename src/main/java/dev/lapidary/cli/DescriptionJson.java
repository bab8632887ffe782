package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.ActivationStatistics;
import dev.lapidary.MemoryPlan;
import dev.lapidary.ModelDescription;
import java.util.List;
import java.util.Locale;

/// What `lapidary inspect --json` prints.
final class DescriptionJson {
    private DescriptionJson() {}

    static JsonObject of(
            ModelDescription description, int capacity, MemoryPlan plan, List<ActivationStatistics> statistics) {
        JsonObject json = new JsonObject();
        json.addProperty("architecture", description.architecture());
        json.addProperty("vocab", description.vocab());
        json.addProperty("embedding", description.embedding());
        json.addProperty("positions", description.maxPositions());
        json.addProperty("final_softcap", description.finalSoftcap());
        if (!description.prompts().isEmpty()) {
            JsonObject prompts = new JsonObject();
            description.prompts().forEach(prompts::addProperty);
            json.add("prompts", prompts);
        }
        json.addProperty("parameters", description.modules().parameters());
        json.addProperty("bytes", description.modules().bytes());
        json.add("parts", parts(description));
        json.add(
                "layers",
                Json.array(description.layers().stream()
                        .map(DescriptionJson::layer)
                        .toList()));
        json.add("kv_cache", kvCache(KvBytes.of(description)));
        json.add("memory", memory(capacity, plan));
        json.add("modules", module(description.modules()));
        if (!statistics.isEmpty()) {
            json.add(
                    "activations",
                    Json.array(
                            statistics.stream().map(DescriptionJson::activation).toList()));
        }
        return json;
    }

    private static JsonArray parts(ModelDescription description) {
        JsonArray parts = new JsonArray();
        for (ModelPart part : ModelPart.of(description)) {
            JsonObject json = new JsonObject();
            json.addProperty("name", part.name());
            json.addProperty("parameters", part.parameters());
            json.addProperty("bytes", part.bytes());
            parts.add(json);
        }
        return parts;
    }

    private static JsonObject layer(ModelDescription.Layer layer) {
        JsonObject json = new JsonObject();
        json.addProperty("attention", layer.attention().toLowerCase(Locale.ROOT));
        json.addProperty("window", layer.window());
        json.addProperty("heads", layer.heads());
        json.addProperty("kv_heads", layer.kvHeads());
        json.addProperty("head_dim", layer.headDim());
        json.addProperty("neurons", layer.neurons());
        json.addProperty("rope_theta", layer.ropeTheta());
        json.addProperty("rope_factor", layer.ropeFactor());
        json.addProperty("query_scale", layer.queryScale());
        json.addProperty("softcap", layer.softcap());
        json.addProperty("query_key_norm", layer.queryKeyNorm());
        json.addProperty("post_norms", layer.postNorms());
        json.addProperty("kv_bytes_per_token", layer.kvBytesPerToken());
        json.addProperty("bidirectional", layer.bidirectional());
        return json;
    }

    private static JsonObject kvCache(KvBytes bytes) {
        JsonObject json = new JsonObject();
        json.addProperty("bytes_per_token", bytes.perToken());
        json.addProperty("bytes_per_token_beyond_windows", bytes.perTokenBeyondWindows());
        json.addProperty("window_bytes", bytes.windows());
        return json;
    }

    /// What a model and one session of this capacity take.
    static JsonObject memory(int capacity, MemoryPlan plan) {
        JsonObject json = new JsonObject();
        json.addProperty("capacity", capacity);
        json.addProperty("weights_bytes", plan.weightsBytes());
        json.addProperty("converted_weights_bytes", plan.convertedBytes());
        json.addProperty("kv_cache_bytes", plan.kvCacheBytes());
        json.addProperty("workspace_bytes", plan.workspaceBytes());
        json.addProperty("total_bytes", plan.totalBytes());
        return json;
    }

    private static JsonObject module(ModelDescription.Part part) {
        JsonObject json = new JsonObject();
        json.addProperty("name", part.name());
        if (part.children().isEmpty()) {
            json.addProperty("shape", part.shape());
        }
        json.addProperty("parameters", part.parameters());
        json.addProperty("bytes", part.bytes());
        if (!part.children().isEmpty()) {
            json.add(
                    "children",
                    Json.array(part.children().stream()
                            .map(DescriptionJson::module)
                            .toList()));
        }
        return json;
    }

    private static JsonObject activation(ActivationStatistics one) {
        JsonObject json = new JsonObject();
        json.addProperty("layer", one.layer());
        json.addProperty("stage", one.stage().name().toLowerCase(Locale.ROOT));
        Json.addNumber(json, "mean", one.mean());
        Json.addNumber(json, "standard_deviation", one.standardDeviation());
        json.addProperty("zero_fraction", one.zeroFraction());
        return json;
    }
}
