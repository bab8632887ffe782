package dev.lapidary.kernels;

/// A weight matrix `[rows, cols]` = `[out, in]` in any format that the kernels multiply by. Borrowed: it never frees
/// its memory.
public sealed interface WeightMatrix permits Matrix, PackedMatrix {
    /// Outputs of the projection.
    int rows();

    /// Inputs of the projection.
    int cols();

    /// How elements are stored, in the field's words: `BF16`, `Q4_0`.
    String format();

    /// Bytes that the elements occupy.
    long elementBytes();

    /// Shape and format for messages: `BF16 [1152, 6912]`.
    default String shape() {
        return "%s [%d, %d]".formatted(format(), rows(), cols());
    }
}
