package dev.lapidary.checkpoint;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Typed access to one JSON object of a configuration file. A key with the value `null` counts as absent. Every
/// complaint names the file, the key with the objects it lies in, what was found and what is needed. Which keys were
/// read is remembered, so that a caller can refuse the ones it never looked at. For one thread at a time.
public final class ConfigKeys {
    private final String source;
    private final String prefix;
    private final JsonObject object;
    private final Set<String> read = new LinkedHashSet<>();
    private final Map<String, ConfigKeys> children = new LinkedHashMap<>();

    private ConfigKeys(String source, String prefix, JsonObject object) {
        this.source = source;
        this.prefix = prefix;
        this.object = object;
    }

    /// The object that a JSON file holds.
    public static ConfigKeys read(Path file) throws CheckpointException {
        return new ConfigKeys(file.toString(), "", StrictJson.read(file));
    }

    /// The objects that a JSON file holds as a list; messages call the first `[0]`.
    public static List<ConfigKeys> readList(Path file) throws CheckpointException {
        JsonArray array = StrictJson.readList(file);
        List<ConfigKeys> list = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            if (!(array.get(i) instanceof JsonObject object)) {
                throw new CheckpointException(
                        "%s: [%d]: got %s, need an object".formatted(file, i, shown(array.get(i))));
            }
            list.add(new ConfigKeys(file.toString(), "[%d].".formatted(i), object));
        }
        return list;
    }

    /// The object that `json` holds; messages call it `source`.
    public static ConfigKeys parse(String source, String json) throws CheckpointException {
        return new ConfigKeys(source, "", StrictJson.parse(source, StrictJson.strict(new StringReader(json))));
    }

    /// Whether the key is there with a value other than `null`. Asking does not count as reading.
    public boolean has(String key) {
        JsonElement value = object.get(key);
        return value != null && !value.isJsonNull();
    }

    /// What messages call the file.
    public String source() {
        return source;
    }

    /// Whether the key is there with the value `null`, which for some keys says something else than its absence.
    public boolean isNull(String key) {
        return object.has(key) && !has(key);
    }

    /// The keys that are there, in the file's order.
    public Set<String> keys() {
        Set<String> keys = new LinkedHashSet<>();
        for (String key : object.keySet()) {
            if (has(key)) {
                keys.add(key);
            }
        }
        return Collections.unmodifiableSet(keys);
    }

    /// A number without a fraction (`8192`, also written `8192.0`) of 32 bits.
    public int intValue(String key) throws CheckpointException {
        return integer(key, value(key));
    }

    public int intValue(String key, int absent) throws CheckpointException {
        return has(key) ? intValue(key) : absent;
    }

    /// Any number that a `double` can hold without overflow.
    public double doubleValue(String key) throws CheckpointException {
        return number(key, value(key));
    }

    private double number(String key, @Nullable JsonElement value) throws CheckpointException {
        if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
            double number = primitive.getAsDouble();
            if (Double.isFinite(number)) {
                return number;
            }
        }
        throw problem(key, value, "a finite number");
    }

    public double doubleValue(String key, double absent) throws CheckpointException {
        return has(key) ? doubleValue(key) : absent;
    }

    public boolean booleanValue(String key) throws CheckpointException {
        JsonElement value = value(key);
        if (value instanceof JsonPrimitive primitive && primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        throw problem(key, value, "true or false");
    }

    public boolean booleanValue(String key, boolean absent) throws CheckpointException {
        return has(key) ? booleanValue(key) : absent;
    }

    public String string(String key) throws CheckpointException {
        return text(key, value(key));
    }

    public String string(String key, String absent) throws CheckpointException {
        return has(key) ? string(key) : absent;
    }

    /// A list of integers; a single one (as in `"eos_token_id": 1`) is a list of one.
    public List<Integer> ints(String key) throws CheckpointException {
        JsonElement value = value(key);
        if (!(value instanceof JsonArray array)) {
            return List.of(integer(key, value));
        }
        List<Integer> ints = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            ints.add(integer("%s[%d]".formatted(key, i), array.get(i)));
        }
        return Collections.unmodifiableList(ints);
    }

    /// A list of finite numbers.
    public List<Double> doubles(String key) throws CheckpointException {
        JsonElement value = value(key);
        if (!(value instanceof JsonArray array)) {
            throw problem(key, value, "a list of numbers");
        }
        List<Double> doubles = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            doubles.add(number("%s[%d]".formatted(key, i), array.get(i)));
        }
        return Collections.unmodifiableList(doubles);
    }

    public List<String> strings(String key) throws CheckpointException {
        JsonElement value = value(key);
        if (!(value instanceof JsonArray array)) {
            throw problem(key, value, "a list of strings");
        }
        List<String> strings = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            strings.add(text("%s[%d]".formatted(key, i), array.get(i)));
        }
        return Collections.unmodifiableList(strings);
    }

    /// The object under a key. Always the same one, so that its [#unread()] is seen from here too.
    public ConfigKeys object(String key) throws CheckpointException {
        JsonElement value = value(key);
        if (!(value instanceof JsonObject nested)) {
            throw problem(key, value, "an object");
        }
        return children.computeIfAbsent(key, absent -> new ConfigKeys(source, dotted(key) + ".", nested));
    }

    /// The keys that are there and were never read, those of the objects that were read included
    /// (`text_config.foo`), named from the file's root.
    public Set<String> unread() {
        Set<String> unread = new LinkedHashSet<>();
        for (String key : keys()) {
            ConfigKeys child = children.get(key);
            if (child != null) {
                unread.addAll(child.unread());
            } else if (!read.contains(key)) {
                unread.add(dotted(key));
            }
        }
        return unread;
    }

    /// A complaint about this key in the form of all others: `config.json: text_config.head_dim: got 7, need ...`.
    public CheckpointException problem(String key, String need) {
        return problem(key, object.get(key), need);
    }

    private @Nullable JsonElement value(String key) {
        read.add(key);
        return has(key) ? object.get(key) : null;
    }

    private int integer(String key, @Nullable JsonElement value) throws CheckpointException {
        if (value instanceof JsonPrimitive primitive && primitive.isNumber()) {
            try {
                return primitive.getAsBigDecimal().intValueExact();
            } catch (ArithmeticException e) {
                throw problem(key, value, "an integer from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE));
            }
        }
        throw problem(key, value, "an integer");
    }

    private String text(String key, @Nullable JsonElement value) throws CheckpointException {
        if (value instanceof JsonPrimitive primitive && primitive.isString()) {
            return primitive.getAsString();
        }
        throw problem(key, value, "a string");
    }

    private CheckpointException problem(String key, @Nullable JsonElement got, String need) {
        return new CheckpointException("%s: %s: got %s, need %s".formatted(source, dotted(key), shown(got), need));
    }

    private String dotted(String key) {
        return prefix + key;
    }

    private static String shown(@Nullable JsonElement value) {
        return switch (value) {
            case JsonObject object -> "an object";
            case JsonArray array -> "a list of " + array.size();
            case JsonPrimitive primitive when primitive.isString() -> StrictJson.quoted(primitive.getAsString());
            case JsonPrimitive primitive -> primitive.getAsString();
            case null, default -> "nothing";
        };
    }
}
