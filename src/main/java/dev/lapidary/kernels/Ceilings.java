package dev.lapidary.kernels;

/// What a machine can do at most, as [CeilingProbe] found it. A product and a sum count as two operations; 0 where the
/// CPU has no such instructions.
///
/// @param readBytesPerSecond memory read by all threads together
/// @param f32                operations per second in F32 FMA
/// @param bf16Instruction    what multiplies BF16 here: `tdpbf16ps` (AMX), `vdpbf16ps` or nothing
/// @param bf16Instructions   operations per second of that, with F32 sums
/// @param bf16Matmul         the same of a large product by the backend, which may have matrix instructions (AMX); 0
///                           where it has no BF16
/// @param int8               operations per second of products of bytes with 32-bit sums: `vpdpbusd`, or `vpmaddubsw`,
///                           `vpmaddwd` and `vpaddd`
public record Ceilings(
        double readBytesPerSecond,
        double f32,
        String bf16Instruction,
        double bf16Instructions,
        double bf16Matmul,
        double int8) {
    /// The larger of what the instruction and what the backend reaches.
    public double bf16() {
        return Math.max(bf16Instructions, bf16Matmul);
    }
}
