package dev.lapidary;

/// What a matrix product over many rows multiplies.
public enum Arithmetic {
    /// F32.
    F32,
    /// BF16, with F32 sums.
    BF16
}
