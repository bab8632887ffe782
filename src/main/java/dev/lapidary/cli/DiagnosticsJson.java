package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.Diagnostics;
import java.util.List;

/// What `lapidary doctor --json` prints of native code.
final class DiagnosticsJson {
    private DiagnosticsJson() {}

    static void add(JsonObject json, Diagnostics found) {
        json.addProperty("available_memory_bytes", found.availableMemoryBytes());
        JsonObject kernels = new JsonObject();
        kernels.addProperty("isa", found.kernels().isa());
        kernels.addProperty("threads_asked", found.kernels().threadsAsked());
        kernels.addProperty("threads_running", found.kernels().threadsRunning());
        addProblem(kernels, found.kernels().problem());
        json.add("kernels", kernels);
        json.add(
                "backends",
                Json.array(
                        found.backends().stream().map(DiagnosticsJson::backend).toList()));
        json.add(
                "libraries",
                Json.array(
                        found.libraries().stream().map(DiagnosticsJson::library).toList()));
    }

    static JsonArray strings(List<String> values) {
        JsonArray array = new JsonArray(values.size());
        values.forEach(array::add);
        return array;
    }

    private static JsonObject backend(Diagnostics.BackendStatus one) {
        JsonObject json = new JsonObject();
        json.addProperty("name", one.spec());
        json.addProperty("usable", one.problem().isEmpty());
        if (one.problem().isEmpty()) {
            json.addProperty("library", one.library());
            json.addProperty("version", one.version());
            json.addProperty("core", one.core());
            json.addProperty("threads", one.threads());
            json.addProperty("threading", one.threading());
        }
        addProblem(json, one.problem());
        return json;
    }

    private static JsonObject library(Diagnostics.LoadedLibrary library) {
        JsonObject json = new JsonObject();
        json.addProperty("name", library.name());
        json.addProperty("path", library.path().toString());
        return json;
    }

    private static void addProblem(JsonObject json, String problem) {
        if (!problem.isEmpty()) {
            json.addProperty("problem", problem);
        }
    }
}
