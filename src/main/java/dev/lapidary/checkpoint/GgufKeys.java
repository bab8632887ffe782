package dev.lapidary.checkpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Metadata of a GGUF file to be written, key after key. A key put twice throws `IllegalArgumentException`.
public final class GgufKeys {
    private final GgufBytes bytes = new GgufBytes();
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
        bytes.string(value);
        return this;
    }

    public GgufKeys putStrings(String key, List<String> values) {
        beginArray(key, GgufType.STRING, values.size());
        values.forEach(bytes::string);
        return this;
    }

    public GgufKeys putFloats(String key, float... values) {
        beginArray(key, GgufType.FLOAT32, values.length);
        for (float value : values) {
            bytes.int32(Float.floatToRawIntBits(value));
        }
        return this;
    }

    public GgufKeys putInts(String key, int... values) {
        beginArray(key, GgufType.INT32, values.length);
        for (int value : values) {
            bytes.int32(value);
        }
        return this;
    }

    /// A key as it stands in another file.
    ///
    /// @throws CheckpointException if it is not there
    public GgufKeys copy(GgufMetadata from, String key) throws CheckpointException {
        GgufValue value = from.raw(key);
        if (value.array()) {
            beginArray(key, value.type(), value.count());
        } else {
            begin(key, value.type());
        }
        bytes.append(value.bytes());
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
        return bytes.toBytes();
    }

    private GgufKeys number(String key, GgufType type, long value) {
        begin(key, type);
        bytes.append(value, type.bytes());
        return this;
    }

    private void beginArray(String key, GgufType element, long count) {
        begin(key, GgufType.ARRAY);
        bytes.int32(element.number()).int64(count);
    }

    private void begin(String key, GgufType type) {
        if (key.isEmpty() || !keys.add(key)) {
            throw new IllegalArgumentException("key: got \"%s\" twice or empty, need each its own".formatted(key));
        }
        bytes.string(key).int32(type.number());
    }
}
