package dev.lapidary.cli;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.util.Collection;
import java.util.stream.IntStream;

/// What `--json` prints: one value on one line.
final class Json {
    private static final Gson GSON =
            new GsonBuilder().disableHtmlEscaping().serializeNulls().create();

    private Json() {}

    static void print(Console console, JsonElement value) {
        console.out().println(GSON.toJson(value));
    }

    static JsonArray ints(int... values) {
        JsonArray array = new JsonArray(values.length);
        IntStream.of(values).forEach(array::add);
        return array;
    }

    static JsonArray array(Collection<? extends JsonElement> values) {
        JsonArray array = new JsonArray(values.size());
        values.forEach(array::add);
        return array;
    }

    /// Leaves the key out where there is no number, since JSON has no NaN.
    static void addNumber(JsonObject object, String key, double value) {
        if (Double.isFinite(value)) {
            object.addProperty(key, value);
        }
    }
}
