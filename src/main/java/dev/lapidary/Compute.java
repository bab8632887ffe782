package dev.lapidary;

/// Precision of matrix products over many rows at once: prompts, and sequences that decode together.
public enum Compute {
    /// Inputs of products with weights are rounded to what the CPU multiplies fastest, sums are F32. With matrix
    /// instructions (AMX): to BF16, as weights are that have more bits, and queries, keys, values and probabilities
    /// of long runs. Without: to BF16 for BF16 weights where CPU and backend multiply those natively, and to int8
    /// by blocks of 32 for Q8_0 and Q4_0. Up to 8 rows, as in decoding, to int8 for all of GGUF's quantized types,
    /// with matrix instructions or without. Everything else is F32.
    FAST,
    /// F32 throughout, on the exact stored weights.
    F32
}
