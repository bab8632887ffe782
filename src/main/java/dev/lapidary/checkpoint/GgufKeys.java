package dev.lapidary.checkpoint;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Metadata of a GGUF file to be written, key after key. A key put twice throws `IllegalArgumentException`.
public final class GgufKeys {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final Set<String> keys = new HashSet<>();

    public GgufKeys putUint16(String key, int value) {
        return number(key, GgufType.UINT16, value);
    }

    public GgufKeys putInt32(String key, int value) {
        return number(key, GgufType.INT32, value);
    }

    public GgufKeys putUint32(String key, int value) {
        return number(key, GgufType.UINT32, value);
    }

    public GgufKeys putFloat32(String key, float value) {
        return number(key, GgufType.FLOAT32, Float.floatToRawIntBits(value));
    }

    public GgufKeys putBoolean(String key, boolean value) {
        return number(key, GgufType.BOOL, value ? 1 : 0);
    }

    public GgufKeys putString(String key, String value) {
        begin(key, GgufType.STRING);
        string(value);
        return this;
    }

    public GgufKeys putStrings(String key, List<String> values) {
        beginArray(key, GgufType.STRING, values.size());
        values.forEach(this::string);
        return this;
    }

    public GgufKeys putFloats(String key, float... values) {
        beginArray(key, GgufType.FLOAT32, values.length);
        for (float value : values) {
            append(Float.floatToRawIntBits(value), Float.BYTES);
        }
        return this;
    }

    public GgufKeys putInts(String key, int... values) {
        beginArray(key, GgufType.INT32, values.length);
        for (int value : values) {
            append(value, Integer.BYTES);
        }
        return this;
    }

    /// Number of keys.
    int count() {
        return keys.size();
    }

    boolean has(String key) {
        return keys.contains(key);
    }

    /// All keys as they stand in the file.
    byte[] bytes() {
        return bytes.toByteArray();
    }

    private GgufKeys number(String key, GgufType type, long value) {
        begin(key, type);
        append(value, type.bytes());
        return this;
    }

    private void beginArray(String key, GgufType element, long count) {
        begin(key, GgufType.ARRAY);
        append(element.ordinal(), Integer.BYTES);
        append(count, Long.BYTES);
    }

    private void begin(String key, GgufType type) {
        if (key.isEmpty() || !keys.add(key)) {
            throw new IllegalArgumentException("key: got \"%s\" twice or empty, need each its own".formatted(key));
        }
        string(key);
        append(type.ordinal(), Integer.BYTES);
    }

    private void string(String value) {
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        append(utf8.length, Long.BYTES);
        bytes.writeBytes(utf8);
    }

    private void append(long value, int count) {
        for (int i = 0; i < count; i++) {
            bytes.write((int) (value >>> (Byte.SIZE * i)));
        }
    }
}
