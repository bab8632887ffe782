package dev.lapidary.checkpoint;

import java.util.Arrays;
import java.util.Optional;

/// Types of metadata values.
///
/// Source: `enum gguf_type` of ggml/include/gguf.h.
enum GgufType {
    UINT8(0, 1),
    INT8(1, 1),
    UINT16(2, 2),
    INT16(3, 2),
    UINT32(4, 4),
    INT32(5, 4),
    FLOAT32(6, 4),
    BOOL(7, 1),
    STRING(8, 0),
    ARRAY(9, 0),
    UINT64(10, 8),
    INT64(11, 8),
    FLOAT64(12, 8);

    private static final GgufType[] VALUES = values();

    private final int number;
    private final int bytes;

    GgufType(int number, int bytes) {
        this.number = number;
        this.bytes = bytes;
    }

    static Optional<GgufType> numbered(int number) {
        return Arrays.stream(VALUES).filter(type -> type.number == number).findFirst();
    }

    /// How a file spells it.
    int number() {
        return number;
    }

    boolean isInteger() {
        return switch (this) {
            case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> true;
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
        };
    }

    /// Bytes of a value; 0 where they depend on the value.
    int bytes() {
        return bytes;
    }
}
