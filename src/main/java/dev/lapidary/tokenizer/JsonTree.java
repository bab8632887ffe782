package dev.lapidary.tokenizer;

import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A small piece of a JSON file as a value to compare: maps, lists, strings, numbers, booleans and [#NULL].
final class JsonTree {
    /// JSON's null.
    static final Object NULL = "null";

    private static final int MAX_VALUES = 10_000;

    private final JsonReader json;
    private int values;

    private JsonTree(JsonReader json) {
        this.json = json;
    }

    /// The next value of a file; throws `IllegalStateException` if it is not a small one.
    static Object read(JsonReader json) throws IOException {
        return new JsonTree(json).value();
    }

    private Object value() throws IOException {
        if (++values > MAX_VALUES) {
            throw new IllegalStateException("got more than %d values at %s".formatted(MAX_VALUES, json.getPath()));
        }
        return switch (json.peek()) {
            case BEGIN_OBJECT -> object();
            case BEGIN_ARRAY -> array();
            case BOOLEAN -> json.nextBoolean();
            case NUMBER -> json.nextDouble();
            case NULL -> {
                json.nextNull();
                yield NULL;
            }
            default -> json.nextString();
        };
    }

    private Map<String, Object> object() throws IOException {
        Map<String, Object> members = new LinkedHashMap<>();
        json.beginObject();
        while (json.hasNext()) {
            members.put(json.nextName(), value());
        }
        json.endObject();
        return members;
    }

    private List<Object> array() throws IOException {
        List<Object> elements = new ArrayList<>();
        json.beginArray();
        while (json.hasNext()) {
            elements.add(value());
        }
        json.endArray();
        return elements;
    }
}
