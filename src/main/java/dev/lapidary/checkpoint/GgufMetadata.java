package dev.lapidary.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Typed access to the metadata of a GGUF file: what the model is, and its tokenizer. Every complaint names the file,
/// the key, what was found and what is needed. Immutable.
public final class GgufMetadata {
    private final String source;
    private final Map<String, GgufValue> values;

    GgufMetadata(String source, Map<String, GgufValue> values) {
        this.source = source;
        this.values = Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /// The metadata of a file, without its tensors.
    public static GgufMetadata read(Path file) throws CheckpointException {
        try (FileChannel channel = RegularFile.open(file)) {
            return GgufHeaderReader.read(file, channel).metadata();
        } catch (IOException e) {
            throw RegularFile.unreadable(file, e);
        }
    }

    /// What messages call the file.
    public String source() {
        return source;
    }

    public boolean has(String key) {
        return values.containsKey(key);
    }

    /// Whether the key is there with an array for its value.
    public boolean isArray(String key) {
        GgufValue value = values.get(key);
        return value != null && value.array();
    }

    /// Elements of an array; 0 where the key is absent or no array.
    public int arrayLength(String key) {
        GgufValue value = values.get(key);
        return value != null && value.array() ? value.count() : 0;
    }

    /// All keys, in the file's order.
    public Set<String> keys() {
        return values.keySet();
    }

    /// An integer of any width that fits 32 bits.
    public int intValue(String key) throws CheckpointException {
        GgufValue value = single(key, "an integer");
        if (!value.type().isInteger()) {
            throw problem(key, "an integer");
        }
        long number = GgufValue.integer(value.type(), value.buffer());
        boolean tooLarge = value.type() == GgufType.UINT64 && number < 0;
        if (tooLarge || number != (int) number) {
            throw problem(key, "an integer from %d to %d".formatted(Integer.MIN_VALUE, Integer.MAX_VALUE));
        }
        return (int) number;
    }

    public int intValue(String key, int absent) throws CheckpointException {
        return has(key) ? intValue(key) : absent;
    }

    /// A floating-point number that is finite.
    public double doubleValue(String key) throws CheckpointException {
        GgufValue value = single(key, "a number");
        double number = switch (value.type()) {
            case FLOAT32 -> value.buffer().getFloat();
            case FLOAT64 -> value.buffer().getDouble();
            default -> Double.NaN;
        };
        if (!Double.isFinite(number)) {
            throw problem(key, "a finite floating-point number");
        }
        return number;
    }

    public double doubleValue(String key, double absent) throws CheckpointException {
        return has(key) ? doubleValue(key) : absent;
    }

    public boolean booleanValue(String key, boolean absent) throws CheckpointException {
        if (!has(key)) {
            return absent;
        }
        GgufValue value = single(key, "true or false");
        if (value.type() != GgufType.BOOL) {
            throw problem(key, "true or false");
        }
        return value.bytes()[0] != 0;
    }

    public String string(String key) throws CheckpointException {
        GgufValue value = single(key, "a string");
        if (value.type() != GgufType.STRING) {
            throw problem(key, "a string");
        }
        return next(key, value.buffer());
    }

    public String string(String key, String absent) throws CheckpointException {
        return has(key) ? string(key) : absent;
    }

    /// An array of strings.
    ///
    /// @param most elements that the caller takes
    public String[] strings(String key, int most) throws CheckpointException {
        GgufValue value = array(key, "an array of strings", most);
        if (value.type() != GgufType.STRING) {
            throw problem(key, "an array of strings");
        }
        ByteBuffer at = value.buffer();
        String[] strings = new String[value.count()];
        for (int i = 0; i < strings.length; i++) {
            strings[i] = next(key, at);
        }
        return strings;
    }

    /// An array of F32.
    ///
    /// @param most elements that the caller takes
    public float[] floats(String key, int most) throws CheckpointException {
        GgufValue value = array(key, "an array of FLOAT32", most);
        if (value.type() != GgufType.FLOAT32) {
            throw problem(key, "an array of FLOAT32");
        }
        float[] floats = new float[value.count()];
        value.buffer().asFloatBuffer().get(floats);
        return floats;
    }

    /// An array of integers of any width, or of booleans as 0 and 1.
    ///
    /// @param most elements that the caller takes
    public long[] integers(String key, int most) throws CheckpointException {
        GgufValue value = array(key, "an array of integers", most);
        if (!value.type().isInteger() && value.type() != GgufType.BOOL) {
            throw problem(key, "an array of integers");
        }
        ByteBuffer at = value.buffer();
        long[] integers = new long[value.count()];
        for (int i = 0; i < integers.length; i++) {
            integers[i] = GgufValue.integer(value.type(), at);
        }
        return integers;
    }

    /// A complaint about this key in the form of all others.
    public CheckpointException problem(String key, String need) {
        GgufValue value = values.get(key);
        return new CheckpointException(
                "%s: %s: got %s, need %s".formatted(source, key, value == null ? "nothing" : value.shown(), need));
    }

    /// The value as it lies in the file.
    GgufValue raw(String key) throws CheckpointException {
        return value(key, "a value");
    }

    private GgufValue single(String key, String need) throws CheckpointException {
        GgufValue value = value(key, need);
        if (value.array()) {
            throw problem(key, need);
        }
        return value;
    }

    private GgufValue array(String key, String need, int most) throws CheckpointException {
        GgufValue value = value(key, need);
        if (!value.array()) {
            throw problem(key, need);
        }
        if (value.count() > most) {
            throw problem(key, "at most %d elements".formatted(most));
        }
        return value;
    }

    private GgufValue value(String key, String need) throws CheckpointException {
        @Nullable GgufValue value = values.get(key);
        if (value == null) {
            throw problem(key, need);
        }
        return value;
    }

    private String next(String key, ByteBuffer at) throws CheckpointException {
        try {
            return GgufValue.string(at);
        } catch (CharacterCodingException e) {
            throw new CheckpointException("%s: %s: got bytes that are not UTF-8".formatted(source, key), e);
        }
    }
}
