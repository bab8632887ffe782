package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;

/// Borrowed matrix `[rows, cols]` of blocks as a GGUF file holds them, used in place: blocks of a row, then those of
/// the next, without gaps, at any address.
///
/// @param blocks    all of them
/// @param blockType how a block is stored
/// @param rows      number of rows
/// @param cols      number of columns, a multiple of [BlockType#blockCols]
public record BlockMatrix(MemorySegment blocks, BlockType blockType, int rows, int cols) implements WeightMatrix {
    /// Throws `IllegalArgumentException` if the columns are no whole blocks, or `blocks` is too short.
    public BlockMatrix {
        if (rows < 0 || cols < 1 || cols % blockType.blockCols() != 0) {
            throw new IllegalArgumentException("block matrix %s: got [%d, %d], need columns a multiple of %d"
                    .formatted(blockType, rows, cols, blockType.blockCols()));
        }
        long needBytes = blockType.bytes(rows, cols);
        if (blocks.byteSize() < needBytes) {
            throw new IllegalArgumentException("block matrix %s [%d, %d]: got %d bytes, need %d"
                    .formatted(blockType, rows, cols, blocks.byteSize(), needBytes));
        }
    }

    /// Rows `from` to `from + count`, sharing the data.
    BlockMatrix rows(int from, int count) {
        MemorySegment data = blocks.asSlice(blockType.bytes(from, cols), blockType.bytes(count, cols));
        return new BlockMatrix(data, blockType, count, cols);
    }

    @Override
    public String format() {
        return blockType.name();
    }

    @Override
    public long elementBytes() {
        return blockType.bytes(rows, cols);
    }
}
