package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;

/// Borrowed block-quantized matrix `[rows, cols]`, repacked into panels of 16 rows in the order that the dot-product
/// instructions of the CPU take. What lies where inside a panel is the shim's business (`native/panels.h`).
///
/// @param panels      all of them, one after the other, aligned to [Matrix#ALIGNMENT_BYTES]
/// @param blockFormat of the blocks
/// @param rows        number of rows
/// @param cols        number of columns, a multiple of [BlockFormat#BLOCK_COLS]
public record PackedMatrix(MemorySegment panels, BlockFormat blockFormat, int rows, int cols) implements WeightMatrix {
    /// Rows of a panel.
    static final int PANEL_ROWS = 16;

    /// Throws `IllegalArgumentException` if the columns are no whole blocks, or `panels` is too short or
    /// misaligned.
    public PackedMatrix {
        if (rows < 1 || !BlockFormat.fits(cols)) {
            throw new IllegalArgumentException(
                    "packed matrix: got [%d, %d], need at least one row and columns a multiple of %d"
                            .formatted(rows, cols, BlockFormat.BLOCK_COLS));
        }
        long needBytes = blockFormat.packedBytes(rows, cols);
        if (panels.byteSize() < needBytes) {
            throw new IllegalArgumentException("packed matrix %s [%d, %d]: got %d bytes, need %d"
                    .formatted(blockFormat, rows, cols, panels.byteSize(), needBytes));
        }
        if (panels.address() % Matrix.ALIGNMENT_BYTES != 0) {
            throw new IllegalArgumentException("packed matrix: address %#x, need a multiple of %d"
                    .formatted(panels.address(), Matrix.ALIGNMENT_BYTES));
        }
    }

    @Override
    public String format() {
        return blockFormat.name();
    }

    @Override
    public long elementBytes() {
        return blockFormat.packedBytes(rows, cols);
    }
}
