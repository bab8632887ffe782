package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Element type of a stored matrix. Arithmetic is in F32 whatever the storage.
public enum DataType {
    /// IEEE 754 binary32.
    F32(Float.BYTES),
    /// The upper half of an F32: 8 exponent bits, 7 fraction bits.
    BF16(Short.BYTES),
    /// IEEE 754 binary16.
    F16(Short.BYTES);

    private final int bytes;

    DataType(int bytes) {
        this.bytes = bytes;
    }

    /// Element `index` of dense `data`, widened; for what is read once, not for arithmetic.
    public float get(MemorySegment data, long index) {
        return switch (this) {
            case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT, index);
            case BF16 -> Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
            case F16 -> Float.float16ToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT, index));
        };
    }

    /// Bytes of one element.
    public int bytes() {
        return bytes;
    }
}
