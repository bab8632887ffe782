package dev.lapidary.kernels;

import java.util.Arrays;
import java.util.Optional;

/// The block-quantized types of GGUF files that the kernels compute with.
///
/// Source: `enum ggml_type` of ggml/include/ggml.h and the block structures of ggml/src/ggml-common.h.
public enum BlockType {
    Q4_0(2, 32, 18),
    Q4_1(3, 32, 20),
    Q5_0(6, 32, 22),
    Q5_1(7, 32, 24),
    Q8_0(8, 32, 34),
    Q2_K(10, 256, 84),
    Q3_K(11, 256, 110),
    Q4_K(12, 256, 144),
    Q5_K(13, 256, 176),
    Q6_K(14, 256, 210),
    IQ4_NL(20, 32, 18);

    private final int number;
    private final int blockCols;
    private final int blockBytes;

    BlockType(int number, int blockCols, int blockBytes) {
        this.number = number;
        this.blockCols = blockCols;
        this.blockBytes = blockBytes;
    }

    /// The type of that name.
    public static Optional<BlockType> named(String name) {
        return Arrays.stream(values()).filter(type -> type.name().equals(name)).findFirst();
    }

    /// As the shim takes it: ggml's number.
    int number() {
        return number;
    }

    /// Columns of a block.
    public int blockCols() {
        return blockCols;
    }

    /// Bytes of a matrix `[rows, cols]`.
    public long bytes(int rows, int cols) {
        return Math.multiplyExact((long) rows, (long) cols / blockCols * blockBytes);
    }
}
