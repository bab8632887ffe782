package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;

/// Borrowed F32 view `[rows, heads, headDim]` of head vectors: the columns of a projection, or the slots of a KV cache.
///
/// @param data       element (0, 0, 0) and everything after it
/// @param rows       tokens or cache slots
/// @param heads      heads per row
/// @param headDim    elements of one head, contiguous
/// @param rowStride  elements from one row to the next
/// @param headStride elements from one head to the next
public record Heads(MemorySegment data, int rows, int heads, int headDim, long rowStride, long headStride) {
    /// Throws `IllegalArgumentException` if `data` is too short for the extents.
    public Heads {
        long needBytes = rows == 0 || heads == 0
                ? 0
                : ((rows - 1L) * rowStride + (heads - 1L) * headStride + headDim) * Float.BYTES;
        if (rows < 0 || heads < 0 || headDim <= 0 || data.byteSize() < needBytes) {
            throw new IllegalArgumentException("heads [%d, %d, %d] strides %d and %d: got %d bytes, need %d"
                    .formatted(rows, heads, headDim, rowStride, headStride, data.byteSize(), needBytes));
        }
    }

    /// Sees the columns of an F32 matrix `[rows, heads * headDim]` as heads.
    public static Heads of(Matrix matrix, int headDim) {
        if (matrix.type() != DataType.F32 || matrix.cols() % headDim != 0) {
            throw new IllegalArgumentException(
                    "heads: got %s, need F32 with a multiple of %d columns".formatted(matrix.shape(), headDim));
        }
        return new Heads(matrix.data(), matrix.rows(), matrix.cols() / headDim, headDim, matrix.stride(), headDim);
    }

    /// Rows `from` to `from + count`, sharing the data.
    public Heads rows(int from, int count) {
        if (from == 0 && count == rows) {
            return this;
        }
        if (from < 0 || count < 0 || from > rows - count) {
            throw new IllegalArgumentException(
                    "heads: rows %d to %d, need within 0 to %d".formatted(from, (long) from + count, rows));
        }
        return new Heads(data.asSlice(from * rowStride * Float.BYTES), count, heads, headDim, rowStride, headStride);
    }

    /// Rows `from` to `from + count` of one head as a matrix `[count, headDim]`, sharing the data.
    public Matrix head(int head, int from, int count) {
        if (head < 0 || head >= heads || from < 0 || count < 0 || from > rows - count) {
            throw new IllegalArgumentException("heads: head %d rows %d to %d, need within [%d, %d]"
                    .formatted(head, from, (long) from + count, heads, rows));
        }
        long offset = (from * rowStride + head * headStride) * Float.BYTES;
        return new Matrix(data.asSlice(offset), DataType.F32, count, headDim, rowStride);
    }
}
