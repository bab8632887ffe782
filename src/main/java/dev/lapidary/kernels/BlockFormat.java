package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_packed_bytes_q4_0;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_packed_bytes_q8_0;

/// Block-quantized formats as GGUF defines them: 32 columns of a row share one F16 scale.
public enum BlockFormat {
    /// 8-bit values: `scale * q`, -127 to 127.
    Q8_0,
    /// 4-bit values: `scale * (q - 8)`, 0 to 15.
    Q4_0;

    /// Columns of a block.
    public static final int BLOCK_COLS = 32;

    /// Whether a matrix of so many columns can be cut into blocks.
    public static boolean fits(int cols) {
        return cols > 0 && cols % BLOCK_COLS == 0;
    }

    /// Bytes of a matrix `[rows, cols]` in panels.
    long packedBytes(int rows, int cols) {
        return switch (this) {
            case Q8_0 -> gemma_packed_bytes_q8_0(rows, cols);
            case Q4_0 -> gemma_packed_bytes_q4_0(rows, cols);
        };
    }
}
