package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Random operands of one product and its value by sums in double. Between the rows of the inputs lie NaNs, which would
/// show in any sum that reads them; between the rows of the output lies a value that must still be there. Each matrix
/// ends at a guard page, unless the backend may read behind it (BLIS before https://github.com/flame/blis/pull/824).
final class Product {
    private static final float UNTOUCHED = 123.5f;

    final Matrix left;
    final Matrix right;
    final Matrix out;
    private final Backend backend;
    private final boolean transposeRight;
    private final double[][] leftRows;
    private final double[][] rightColumns;

    /// @param gap elements between the end of a row and the next
    Product(Backend backend, Arena arena, DataType type, boolean transposeRight, int m, int n, int k, int gap) {
        this.backend = backend;
        Random random = new Random(31L * m + 17L * n + k);
        this.transposeRight = transposeRight;
        leftRows = new double[m][k];
        rightColumns = new double[n][k];
        left = matrix(arena, type, m, k, gap, Float.NaN);
        right = transposeRight ? matrix(arena, type, n, k, gap, Float.NaN) : matrix(arena, type, k, n, gap, Float.NaN);
        out = matrix(arena, DataType.F32, m, n, gap, UNTOUCHED);
        for (int r = 0; r < m; r++) {
            for (int i = 0; i < k; i++) {
                leftRows[r][i] = put(left, r, i, (float) random.nextGaussian());
            }
        }
        for (int c = 0; c < n; c++) {
            for (int i = 0; i < k; i++) {
                float value = (float) random.nextGaussian();
                rightColumns[c][i] = transposeRight ? put(right, c, i, value) : put(right, i, c, value);
            }
        }
    }

    void multiply() {
        if (transposeRight) {
            backend.matmulTransposed(left, right, out);
        } else {
            backend.matmul(left, right, out);
        }
    }

    void check() {
        for (int r = 0; r < out.rows(); r++) {
            for (int c = 0; c < out.cols(); c++) {
                double[] row = leftRows[r];
                double[] column = rightColumns[c];
                double expected = dot(row, column);
                double norms = Math.sqrt(dot(row, row) * dot(column, column));
                double tolerance = 2 * Math.sqrt(row.length) * Math.ulp(1f) * norms;
                assertThat((double) at(out, r, c))
                        .as("%s times %s, element %d, %d", left.shape(), right.shape(), r, c)
                        .isBetween(expected - tolerance, expected + tolerance);
            }
            for (long gap = out.cols(); gap < out.stride() && r + 1 < out.rows(); gap++) {
                assertThat(at(out, r, gap)).as("after row %d", r).isEqualTo(UNTOUCHED);
            }
        }
    }

    private Matrix matrix(Arena arena, DataType type, int rows, int cols, int gap, float filling) {
        long stride = cols + (long) gap;
        long elements = (rows - 1) * stride + cols;
        long bytes = elements * type.bytes();
        MemorySegment data = backend.staysInBounds()
                ? GuardedMemory.allocate(arena, bytes)
                : new PageMemory(arena).allocate(bytes, Matrix.ALIGNMENT_BYTES);
        Matrix matrix = new Matrix(data, type, rows, cols, stride);
        for (long element = 0; element < elements; element++) {
            put(matrix, element, filling);
        }
        return matrix;
    }

    private static double put(Matrix matrix, int row, int column, float value) {
        return put(matrix, row * matrix.stride() + column, value);
    }

    /// Returns what was stored: for BF16 less than what was given.
    private static double put(Matrix matrix, long index, float value) {
        if (matrix.type() == DataType.BF16) {
            short bits = (short) (Float.floatToRawIntBits(value) >>> 16);
            matrix.data().setAtIndex(ValueLayout.JAVA_SHORT, index, bits);
            return Float.intBitsToFloat(bits << 16);
        }
        matrix.data().setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
        return value;
    }

    private static float at(Matrix matrix, int row, long column) {
        return matrix.data().getAtIndex(ValueLayout.JAVA_FLOAT, row * matrix.stride() + column);
    }

    private static double dot(double[] x, double[] y) {
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }
}
