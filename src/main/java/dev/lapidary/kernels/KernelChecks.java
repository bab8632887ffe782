package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// What must hold before an address goes to native code, which cannot check it. Messages name the argument.
final class KernelChecks {
    private KernelChecks() {}

    static void requireF32(String name, Matrix matrix) {
        if (matrix.type() != DataType.F32) {
            throw new IllegalArgumentException("%s: got %s, need F32".formatted(name, matrix.shape()));
        }
    }

    static void requireShape(String name, Matrix matrix, int rows, int cols) {
        requireF32(name, matrix);
        requireExtents(name, matrix, rows, cols);
    }

    static void requireExtents(String name, WeightMatrix matrix, int rows, int cols) {
        if (matrix.rows() != rows || matrix.cols() != cols) {
            throw new IllegalArgumentException("%s: got %s, need [%d, %d]".formatted(name, matrix.shape(), rows, cols));
        }
    }

    static void requireInts(String name, MemorySegment ints, int count) {
        requireBytes(name, ints, (long) count * Integer.BYTES);
    }

    static void requireBytes(String name, MemorySegment segment, long bytes) {
        if (segment.byteSize() < bytes) {
            throw new IllegalArgumentException("%s: got %d bytes, need %d".formatted(name, segment.byteSize(), bytes));
        }
    }

    static void requireIds(MemorySegment ids, int count, int vocab) {
        requireInts("ids", ids, count);
        for (int i = 0; i < count; i++) {
            int id = ids.getAtIndex(ValueLayout.JAVA_INT, i);
            if (id < 0 || id >= vocab) {
                throw new IllegalArgumentException("ids[%d]: got %d, need 0 to %d".formatted(i, id, vocab - 1));
            }
        }
    }

    static void requireSpans(MemorySegment begin, MemorySegment end, int rows, int cols) {
        requireInts("begin", begin, rows);
        requireInts("end", end, rows);
        for (int i = 0; i < rows; i++) {
            int from = begin.getAtIndex(ValueLayout.JAVA_INT, i);
            int to = end.getAtIndex(ValueLayout.JAVA_INT, i);
            if (from < 0 || to > cols) {
                throw new IllegalArgumentException(
                        "span of row %d: got [%d, %d), need within [0, %d)".formatted(i, from, to, cols));
            }
        }
    }

    static void requireHeads(String name, Heads heads, int rows, int count, int headDim) {
        if (heads.rows() != rows || heads.heads() != count || heads.headDim() != headDim) {
            throw new IllegalArgumentException("%s: got [%d, %d, %d], need [%d, %d, %d]"
                    .formatted(name, heads.rows(), heads.heads(), heads.headDim(), rows, count, headDim));
        }
    }

    static void requireF32(String name, Heads heads) {
        if (heads.type() != DataType.F32) {
            throw new IllegalArgumentException("%s: got %s, need F32".formatted(name, heads.type()));
        }
    }

    /// Keys and values of one cache have the same strides and type.
    static void requireAlike(Heads keys, Heads values) {
        if (values.rowStride() != keys.rowStride()
                || values.headStride() != keys.headStride()
                || values.type() != keys.type()) {
            throw new IllegalArgumentException("values: got %s by strides %d and %d, need the keys' %s by %d and %d"
                    .formatted(
                            values.type(),
                            values.rowStride(),
                            values.headStride(),
                            keys.type(),
                            keys.rowStride(),
                            keys.headStride()));
        }
    }

    static void requireHeadMajor(String name, Heads cache) {
        if (cache.rowStride() != cache.headDim() || cache.headStride() != (long) cache.rows() * cache.headDim()) {
            throw new IllegalArgumentException("%s: got strides %d and %d, need a head's slots contiguous"
                    .formatted(name, cache.rowStride(), cache.headStride()));
        }
    }
}
