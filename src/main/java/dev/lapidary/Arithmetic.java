package dev.lapidary;

/// What a matrix product over many rows multiplies.
public enum Arithmetic {
    /// F32.
    F32,
    /// BF16, with F32 sums.
    BF16,
    /// Bytes, with 32-bit sums within a block of 32.
    INT8
}
