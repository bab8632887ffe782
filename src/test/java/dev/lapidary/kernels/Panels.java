package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Reads the panels of a [PackedMatrix] element by element, as `native/panels.h` describes them: 16 rows through pairs
/// of blocks, the scales of both before their values, and values of 4 columns of each row together.
final class Panels {
    private static final long ROWS = 16;
    private static final int BLOCK = 32;

    private Panels() {}

    /// The weights themselves, or an F32 copy of packed ones.
    static Matrix dense(WeightMatrix weights) {
        return switch (weights) {
            case Matrix dense -> dense;
            case PackedMatrix packed -> {
                Matrix wide = Matrix.allocate(Arena.ofAuto(), packed.rows(), packed.cols());
                for (int r = 0; r < packed.rows(); r++) {
                    for (int c = 0; c < packed.cols(); c++) {
                        wide.data().setAtIndex(ValueLayout.JAVA_FLOAT, (long) r * packed.cols() + c, get(packed, r, c));
                    }
                }
                yield wide;
            }
        };
    }

    /// What the rows are rounded to before they meet packed weights: per block of 32 columns, 127 steps of the
    /// largest.
    static Matrix quantized(Operands operands, Matrix in) {
        Matrix out = operands.expected(in.rows(), in.cols());
        for (int r = 0; r < in.rows(); r++) {
            for (int block = 0; block < in.cols(); block += BLOCK) {
                float largest = 0;
                for (int c = block; c < block + BLOCK; c++) {
                    largest = Math.max(largest, Math.abs((float) ReferenceKernels.get(in, r, c)));
                }
                for (int c = block; c < block + BLOCK; c++) {
                    double q = Math.rint((float) ReferenceKernels.get(in, r, c) * (127 / largest));
                    Operands.set(out, r, c, largest == 0 ? 0 : (float) (q * (largest * (1f / 127))));
                }
            }
        }
        return out;
    }

    static float get(PackedMatrix packed, int row, int col) {
        return scale(packed, row, col / BLOCK) * value(packed, row, col);
    }

    /// The scale of a row's block.
    static float scale(PackedMatrix packed, int row, int block) {
        long at = pair(packed, row, block) + block % 2 * ROWS * 2 + row % ROWS * 2;
        return Float.float16ToFloat(packed.panels().get(ValueLayout.JAVA_SHORT_UNALIGNED, at));
    }

    /// The whole number that the scale is multiplied by.
    static int value(PackedMatrix packed, int row, int col) {
        int block = col / BLOCK;
        long quantsBytes = quantsBytes(packed);
        long quants = pair(packed, row, block) + 2 * ROWS * 2 + block % 2 * quantsBytes;
        boolean bytes = packed.blockFormat() == BlockFormat.Q8_0;
        int within = bytes ? col % BLOCK : col % (BLOCK / 2);
        MemorySegment panels = packed.panels();
        int stored =
                panels.get(ValueLayout.JAVA_BYTE, quants + within / 4 * ROWS * 4 + row % ROWS * 4 + within % 4) & 0xff;
        if (bytes) {
            return stored - 128;
        }
        return (col % BLOCK < BLOCK / 2 ? stored & 15 : stored >> 4) - 8;
    }

    /// Where the pair of blocks begins that holds `block` of the row.
    private static long pair(PackedMatrix packed, int row, int block) {
        int blocks = packed.cols() / BLOCK;
        long panelBytes = (blocks + 1L) / 2 * (2 * ROWS * 2) + blocks * quantsBytes(packed);
        return row / ROWS * panelBytes + block / 2 * (2 * ROWS * 2 + 2 * quantsBytes(packed));
    }

    private static long quantsBytes(PackedMatrix packed) {
        return packed.blockFormat() == BlockFormat.Q8_0 ? ROWS * BLOCK : ROWS * BLOCK / 2;
    }
}
