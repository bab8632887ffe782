package dev.lapidary;

import dev.lapidary.kernels.Ceilings;

/// What this machine can do at most, measured. A product and a sum count as two operations; 0 where the CPU has no such
/// instructions.
///
/// @param readBytesPerSecond   memory read by all threads together
/// @param f32PerSecond         operations in F32
/// @param bf16PerSecond        operations in BF16 with F32 sums
/// @param bf16By               what reached that: the instruction `tdpbf16ps` (AMX) or `vdpbf16ps`, or `matmul` of a
///                             backend
/// @param int8PerSecond        operations of products of bytes: `vpdpbusd`, or where the CPU lacks it
///                             `vpmaddubsw`, `vpmaddwd` and `vpaddd`
public record MachineLimits(
        double readBytesPerSecond, double f32PerSecond, double bf16PerSecond, String bf16By, double int8PerSecond) {
    static MachineLimits of(Ceilings found) {
        boolean byMatmul = found.bf16Matmul() > found.bf16Instructions();
        return new MachineLimits(
                found.readBytesPerSecond(),
                found.f32(),
                found.bf16(),
                found.bf16() == 0 ? "" : byMatmul ? "matmul" : found.bf16Instruction(),
                found.int8());
    }

    /// The larger of each: what disturbs a probe only makes it slower.
    public MachineLimits max(MachineLimits other) {
        return new MachineLimits(
                Math.max(readBytesPerSecond, other.readBytesPerSecond),
                Math.max(f32PerSecond, other.f32PerSecond),
                Math.max(bf16PerSecond, other.bf16PerSecond),
                bf16PerSecond >= other.bf16PerSecond ? bf16By : other.bf16By,
                Math.max(int8PerSecond, other.int8PerSecond));
    }

    /// Operations per second of products of that kind.
    public double peak(Arithmetic arithmetic) {
        return switch (arithmetic) {
            case F32 -> f32PerSecond;
            case BF16 -> bf16PerSecond;
            case INT8 -> int8PerSecond;
        };
    }
}
