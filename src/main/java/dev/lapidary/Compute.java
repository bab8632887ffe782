package dev.lapidary;

/// Precision of matrix products over many rows at once: prompts, and sequences that decode together.
public enum Compute {
    /// BF16 products with F32 sums where the weights are BF16 and CPU and backend multiply them natively; else F32.
    /// Inputs of those products are rounded to BF16; everything else is F32.
    FAST,
    /// F32 throughout, on the exact stored weights.
    F32
}
