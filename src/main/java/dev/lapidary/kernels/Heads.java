package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;

/// Borrowed view `[rows, heads, headDim]` of head vectors: the columns of a projection, or the slots of a KV cache.
///
/// @param data       element (0, 0, 0) and everything after it
/// @param type       how an element is stored: F32, or BF16 in a cache
/// @param rows       tokens or cache slots
/// @param heads      heads per row
/// @param headDim    elements of one head, contiguous
/// @param rowStride  elements from one row to the next
/// @param headStride elements from one head to the next
public record Heads(
        MemorySegment data, DataType type, int rows, int heads, int headDim, long rowStride, long headStride) {
    /// Throws `IllegalArgumentException` if `data` is too short or misaligned for the extents.
    public Heads {
        if (rows < 0 || heads < 0 || headDim <= 0 || rowStride < 0 || headStride < 0) {
            throw new IllegalArgumentException(
                    "heads: got [%d, %d, %d] strides %d and %d, need extents and strides >= 0 and a head dimension > 0"
                            .formatted(rows, heads, headDim, rowStride, headStride));
        }
        if (type == DataType.F16) {
            throw new IllegalArgumentException("heads: got F16, need F32 or BF16");
        }
        long elements = rows == 0 || heads == 0 ? 0 : elements(rows - 1L, rowStride, heads - 1L, headStride, headDim);
        long needBytes = Math.multiplyExact(elements, (long) type.bytes());
        if (data.byteSize() < needBytes) {
            throw new IllegalArgumentException("heads [%d, %d, %d] strides %d and %d: got %d bytes, need %d"
                    .formatted(rows, heads, headDim, rowStride, headStride, data.byteSize(), needBytes));
        }
        if (data.address() % type.bytes() != 0) {
            throw new IllegalArgumentException(
                    "heads: address %#x, need a multiple of %d".formatted(data.address(), type.bytes()));
        }
    }

    /// F32 heads.
    public Heads(MemorySegment data, int rows, int heads, int headDim, long rowStride, long headStride) {
        this(data, DataType.F32, rows, heads, headDim, rowStride, headStride);
    }

    private static long elements(long lastRow, long rowStride, long lastHead, long headStride, int headDim) {
        long start = Math.addExact(Math.multiplyExact(lastRow, rowStride), Math.multiplyExact(lastHead, headStride));
        return Math.addExact(start, headDim);
    }

    /// Sees the columns of an F32 matrix `[rows, heads * headDim]` as heads.
    public static Heads of(Matrix matrix, int headDim) {
        if (matrix.type() != DataType.F32 || headDim <= 0 || matrix.cols() % headDim != 0) {
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
        return new Heads(slice(from * rowStride), type, count, heads, headDim, rowStride, headStride);
    }

    /// Rows `from` to `from + count` of one head as a matrix `[count, headDim]`, sharing the data.
    public Matrix head(int head, int from, int count) {
        if (head < 0 || head >= heads || from < 0 || count < 0 || from > rows - count) {
            throw new IllegalArgumentException("heads: head %d rows %d to %d, need within [%d, %d]"
                    .formatted(head, from, (long) from + count, heads, rows));
        }
        return new Matrix(slice(from * rowStride + head * headStride), type, count, headDim, rowStride);
    }

    private MemorySegment slice(long elements) {
        return data.asSlice(Math.min(elements * type.bytes(), data.byteSize()));
    }
}
