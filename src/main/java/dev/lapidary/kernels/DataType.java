package dev.lapidary.kernels;

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

    /// Bytes of one element.
    public int bytes() {
        return bytes;
    }
}
