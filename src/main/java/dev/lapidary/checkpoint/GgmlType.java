package dev.lapidary.checkpoint;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Every tensor type that GGUF files hold, so that a listing is complete and an unsupported one is refused by name.
///
/// Source: `enum ggml_type` of ggml/include/ggml.h and the block structures of ggml/src/ggml-common.h.
public enum GgmlType {
    F32(0, 1, 4),
    F16(1, 1, 2),
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q8_1(9, 32, 36),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    Q8_K(15, 256, 292),
    IQ2_XXS(16, 256, 66),
    IQ2_XS(17, 256, 74),
    IQ3_XXS(18, 256, 98),
    IQ1_S(19, 256, 50),
    IQ4_NL(20, 32, 18),
    IQ3_S(21, 256, 110),
    IQ2_S(22, 256, 82),
    IQ4_XS(23, 256, 136),
    I8(24, 1, 1),
    I16(25, 1, 2),
    I32(26, 1, 4),
    I64(27, 1, 8),
    F64(28, 1, 8),
    IQ1_M(29, 256, 56),
    BF16(30, 1, 2),
    TQ1_0(34, 256, 54),
    TQ2_0(35, 256, 66),
    MXFP4(39, 32, 17),
    NVFP4(40, 64, 36),
    Q1_0(41, 128, 18),
    Q2_0(42, 64, 18);

    private static final GgmlType[] VALUES = values();

    private final int number;
    private final int blockElements;
    private final int blockBytes;

    GgmlType(int number, int blockElements, int blockBytes) {
        this.number = number;
        this.blockElements = blockElements;
        this.blockBytes = blockBytes;
    }

    static Optional<GgmlType> numbered(int number) {
        return Arrays.stream(VALUES).filter(type -> type.number == number).findFirst();
    }

    /// How a file spells it.
    int number() {
        return number;
    }

    /// Consecutive elements of a row that are stored together.
    public int blockElements() {
        return blockElements;
    }

    /// Bytes that a block takes.
    public int blockBytes() {
        return blockBytes;
    }

    /// Bytes of a tensor of that shape, rows being its last extent. Throws `ArithmeticException` where they
    /// overflow a `long`, an extent is negative, or a row is no whole number of blocks.
    public long bytes(List<Long> shape) {
        long elements = 1;
        for (long extent : shape) {
            if (extent < 0) {
                throw new ArithmeticException("negative extent");
            }
            elements = Extents.multiply(elements, extent);
        }
        long row = shape.isEmpty() ? 1 : shape.getLast();
        if (row % blockElements != 0) {
            throw new ArithmeticException("rows of %d, blocks of %d".formatted(row, blockElements));
        }
        return Extents.multiply(elements / blockElements, blockBytes);
    }
}
