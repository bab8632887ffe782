package dev.lapidary;

/// How weights are held in memory. BF16 and F32 are used in place where the checkpoint stores them so; anything else is
/// made on opening.
public enum WeightFormat {
    /// 32 bits.
    F32,
    /// The upper half of an F32.
    BF16,
    /// Blocks of 32 values of 8 bits and one F16 scale, as GGUF defines them: 8.5 bits per weight.
    Q8_0,
    /// Blocks of 32 values of 4 bits and one F16 scale, as GGUF defines them: 4.5 bits per weight.
    Q4_0
}
