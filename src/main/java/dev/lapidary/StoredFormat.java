package dev.lapidary;

/// How weights are held in a file.
public enum StoredFormat {
    /// 32 bits.
    F32,
    /// IEEE 754 binary16: 11 bits of precision, up to 65504.
    F16,
    /// The upper half of an F32: 8 bits of precision, the range of an F32.
    BF16,
    /// Blocks of 32 values of 8 bits and one F16 scale, 8.5 bits per weight; GGUF alone.
    Q8_0,
    /// Blocks of 32 values of 4 bits and one F16 scale, 4.5 bits per weight; GGUF alone.
    Q4_0;

    /// Whether weights stand in blocks.
    boolean inBlocks() {
        return this == Q8_0 || this == Q4_0;
    }
}
