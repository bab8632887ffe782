package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.fail;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Operands of a kernel under test, the same for the same seed. Each ends at a [GuardedMemory] page. What lies between
/// their rows, and outputs before they are written, is a NaN of its own: whoever reads it computes NaN, and whoever
/// writes it is found out.
final class Operands implements AutoCloseable {
    /// What every kernel is tested on: one, a vector's width and its neighbours, two odd ones beyond a cache
    /// line.
    static final int[] EXTENTS = {1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 257};

    private static final int POISON = 0x7fc0dead;

    private final Arena arena = Arena.ofShared();
    private final long seed;
    private final Random random;

    Operands(long seed) {
        this.seed = seed;
        random = new Random(seed);
    }

    long seed() {
        return seed;
    }

    Random random() {
        return random;
    }

    /// F32 of a stride at random, sometimes dense.
    Matrix matrix(int rows, int cols) {
        return matrix(DataType.F32, rows, cols, anyStride(cols), 1);
    }

    /// Normally distributed times `scale`.
    Matrix matrix(DataType type, int rows, int cols, long stride, double scale) {
        Matrix matrix = poisoned(type, rows, cols, stride);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                set(matrix, r, c, (float) (random.nextGaussian() * scale));
            }
        }
        return matrix;
    }

    /// Block-quantized, of normally distributed values times `scale`; ends at a guarded page.
    PackedMatrix packed(BlockFormat format, int rows, int cols, double scale) {
        Matrix values = Matrix.allocate(arena, rows, cols);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                set(values, r, c, (float) (random.nextGaussian() * scale));
            }
        }
        return (PackedMatrix) WeightConversion.to(format)
                .convert(values, (bytes, _) -> GuardedMemory.allocate(arena, bytes), _ -> {});
    }

    /// An output not written yet.
    Matrix output(int rows, int cols) {
        return poisoned(DataType.F32, rows, cols, anyStride(cols));
    }

    Matrix denseOutput(int rows, int cols) {
        return poisoned(DataType.F32, rows, cols, cols);
    }

    /// An operand that a kernel changes in place, for the reference to change too.
    Matrix copy(Matrix matrix) {
        Matrix copy = Matrix.allocate(arena, matrix.rows(), matrix.cols());
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                set(copy, r, c, (float) ReferenceKernels.get(matrix, r, c));
            }
        }
        return copy;
    }

    /// Where the reference writes.
    Matrix expected(int rows, int cols) {
        return Matrix.allocate(arena, rows, cols);
    }

    long anyStride(int cols) {
        return random.nextInt(3) == 0 ? cols : cols + 1L + random.nextInt(20);
    }

    MemorySegment ints(int... values) {
        MemorySegment ints = GuardedMemory.allocate(arena, (long) values.length * Integer.BYTES);
        MemorySegment.copy(values, 0, ints, ValueLayout.JAVA_INT, 0, values.length);
        return ints;
    }

    MemorySegment doubles(double... values) {
        MemorySegment doubles = GuardedMemory.allocate(arena, (long) values.length * Double.BYTES);
        MemorySegment.copy(values, 0, doubles, ValueLayout.JAVA_DOUBLE, 0, values.length);
        return doubles;
    }

    /// A cache `[slots, heads, headDim]`: a head's slots contiguous.
    Heads cache(int slots, int heads, int headDim) {
        return cache(DataType.F32, slots, heads, headDim);
    }

    Heads cache(DataType type, int slots, int heads, int headDim) {
        Matrix all = matrix(type, heads * slots, headDim, headDim, 1);
        return new Heads(all.data(), type, slots, heads, headDim, headDim, (long) slots * headDim);
    }

    /// What lies between the rows of `matrix` is as it was.
    void assertNothingBetweenRows(Matrix matrix, String what) {
        for (int r = 0; r + 1 < matrix.rows(); r++) {
            for (long c = matrix.cols(); c < matrix.stride(); c++) {
                if (matrix.data().getAtIndex(ValueLayout.JAVA_INT, r * matrix.stride() + c) != POISON) {
                    fail("%s: seed %d: written after row %d, column %d of %s", what, seed, r, c, matrix.shape());
                }
            }
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    static void set(Matrix matrix, int row, int col, float value) {
        long index = row * matrix.stride() + col;
        switch (matrix.type()) {
            case F32 -> matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
            case BF16 ->
                matrix.data().setAtIndex(ValueLayout.JAVA_SHORT, index, (short) (Float.floatToIntBits(value) >>> 16));
            case F16 -> matrix.data().setAtIndex(ValueLayout.JAVA_SHORT, index, Float.floatToFloat16(value));
        }
    }

    private Matrix poisoned(DataType type, int rows, int cols, long stride) {
        long elements = rows == 0 ? 0 : (rows - 1) * stride + cols;
        MemorySegment data = GuardedMemory.allocate(arena, elements * type.bytes());
        for (long i = 0; i < elements; i++) {
            if (type == DataType.F32) {
                data.setAtIndex(ValueLayout.JAVA_INT, i, POISON);
            } else {
                data.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) 0x7fff);
            }
        }
        return new Matrix(data, type, rows, cols, stride);
    }
}
