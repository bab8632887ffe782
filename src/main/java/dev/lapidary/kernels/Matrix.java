package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Borrowed row-major view `[rows, cols]`: it never allocates, frees or outlives the owner of `data`.
///
/// @param data   element (0, 0) and everything after it, aligned for `type`
/// @param type   how an element is stored
/// @param rows   number of rows
/// @param cols   number of columns
/// @param stride elements from one row to the next, at least `cols`
public record Matrix(MemorySegment data, DataType type, int rows, int cols, long stride) implements WeightMatrix {
    /// Alignment of everything the engine allocates: one cache line, one AVX-512 register.
    public static final long ALIGNMENT_BYTES = 64;

    /// Throws `IllegalArgumentException` if `data` is too short or misaligned for the extents.
    public Matrix {
        if (rows < 0 || cols < 0 || stride < cols) {
            throw new IllegalArgumentException("matrix: got [%d, %d] stride %d, need extents >= 0 and stride >= columns"
                    .formatted(rows, cols, stride));
        }
        long needBytes =
                rows == 0 ? 0 : Math.multiplyExact(Math.multiplyExact(rows - 1L, stride) + cols, (long) type.bytes());
        if (data.byteSize() < needBytes) {
            throw new IllegalArgumentException("matrix [%d, %d] stride %d %s: got %d bytes, need %d"
                    .formatted(rows, cols, stride, type, data.byteSize(), needBytes));
        }
        if (data.address() % type.bytes() != 0) {
            throw new IllegalArgumentException(
                    "matrix: address %#x, need a multiple of %d for %s".formatted(data.address(), type.bytes(), type));
        }
    }

    /// A dense view of all of `data`.
    public static Matrix dense(MemorySegment data, DataType type, int rows, int cols) {
        return new Matrix(data, type, rows, cols, cols);
    }

    /// A dense F32 matrix of zeros owned by `arena`.
    public static Matrix allocate(Arena arena, int rows, int cols) {
        return allocate(arena, DataType.F32, rows, cols);
    }

    /// A dense matrix of zeros owned by `arena`.
    public static Matrix allocate(Arena arena, DataType type, int rows, int cols) {
        long bytes = Math.multiplyExact(Math.multiplyExact((long) rows, cols), (long) type.bytes());
        return dense(arena.allocate(Math.max(bytes, 1), ALIGNMENT_BYTES), type, rows, cols);
    }

    /// Rows `from` to `from + count`, sharing the data.
    public Matrix rows(int from, int count) {
        if (from == 0 && count == rows) {
            return this;
        }
        checkRange("rows", from, count, rows);
        return new Matrix(slice(from * stride), type, count, cols, stride);
    }

    /// Row `index` as a `[1, cols]` view, sharing the data.
    public Matrix row(int index) {
        return rows(index, 1);
    }

    /// Columns `from` to `from + count` of every row, sharing the data.
    public Matrix cols(int from, int count) {
        if (from == 0 && count == cols) {
            return this;
        }
        checkRange("columns", from, count, cols);
        return new Matrix(slice(from), type, rows, count, stride);
    }

    @Override
    public String format() {
        return type.name();
    }

    /// Bytes that the elements occupy, padding between rows left out.
    @Override
    public long elementBytes() {
        return (long) rows * cols * type.bytes();
    }

    private MemorySegment slice(long elements) {
        long bytes = elements * type.bytes();
        return data.asSlice(Math.min(bytes, data.byteSize()));
    }

    private static void checkRange(String what, int from, int count, int extent) {
        if (from < 0 || count < 0 || from > extent - count) {
            throw new IllegalArgumentException(
                    "matrix: %s %d to %d, need within 0 to %d".formatted(what, from, (long) from + count, extent));
        }
    }
}
