package dev.lapidary.checkpoint;

import java.util.Optional;

/// Types of metadata values, in the order of their numbers.
///
/// Source: `enum gguf_type` of ggml/include/gguf.h.
enum GgufType {
    UINT8(1),
    INT8(1),
    UINT16(2),
    INT16(2),
    UINT32(4),
    INT32(4),
    FLOAT32(4),
    BOOL(1),
    STRING(0),
    ARRAY(0),
    UINT64(8),
    INT64(8),
    FLOAT64(8);

    private static final GgufType[] VALUES = values();

    private final int bytes;

    GgufType(int bytes) {
        this.bytes = bytes;
    }

    static Optional<GgufType> numbered(int number) {
        return number < 0 || number >= VALUES.length ? Optional.empty() : Optional.of(VALUES[number]);
    }

    /// Bytes of a value; 0 where they depend on the value.
    int bytes() {
        return bytes;
    }
}
