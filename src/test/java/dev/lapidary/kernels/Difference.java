package dev.lapidary.kernels;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.fail;

/// What a kernel computed against what it should have.
final class Difference {
    /// Distance between neighbouring F32 numbers from 1 on.
    static final double ULP = Math.ulp(1f);

    private Difference() {}

    /// Largest error that an element may have.
    @FunctionalInterface
    interface Tolerance {
        double of(int row, int col);
    }

    /// Every element of `actual` is within its tolerance of `expected`, and nothing between the rows was touched.
    static void assertClose(Operands operands, Matrix actual, Matrix expected, Tolerance tolerance, String what) {
        assertElementsClose(operands, actual, expected, tolerance, what);
        operands.assertNothingBetweenRows(actual, what);
    }

    /// As [#assertClose], for columns of a wider matrix.
    static void assertElementsClose(
            Operands operands, Matrix actual, Matrix expected, Tolerance tolerance, String what) {
        double worst = 0;
        int worstRow = 0;
        int worstCol = 0;
        for (int r = 0; r < expected.rows(); r++) {
            for (int c = 0; c < expected.cols(); c++) {
                double difference = Math.abs(get(actual, r, c) - get(expected, r, c));
                // Of equal infinities, and of 0 within 0, the difference is nothing; a NaN is beyond any tolerance.
                double share = get(actual, r, c) == get(expected, r, c) ? 0 : difference / tolerance.of(r, c);
                if (!(share <= worst)) {
                    worst = Double.isNaN(share) ? Double.POSITIVE_INFINITY : share;
                    worstRow = r;
                    worstCol = c;
                }
            }
        }
        if (worst > 1) {
            fail(
                    "%s: seed %d, %s: at [%d, %d] got %s, need %s within %.3g, %.3g times as far",
                    what,
                    operands.seed(),
                    actual.shape(),
                    worstRow,
                    worstCol,
                    get(actual, worstRow, worstCol),
                    get(expected, worstRow, worstCol),
                    tolerance.of(worstRow, worstCol),
                    worst);
        }
    }

    /// The same numbers.
    static void assertEqual(Operands operands, Matrix actual, Matrix expected, String what) {
        for (int r = 0; r < expected.rows(); r++) {
            for (int c = 0; c < expected.cols(); c++) {
                if (get(actual, r, c) != get(expected, r, c)) {
                    fail(
                            "%s: seed %d, %s: at [%d, %d] got %s, need exactly %s",
                            what, operands.seed(), actual.shape(), r, c, get(actual, r, c), get(expected, r, c));
                }
            }
        }
        operands.assertNothingBetweenRows(actual, what);
    }

    /// An F32 sum of `left.cols()` products: rounding errors of that many steps add up as a random walk, in
    /// proportion to the vectors' lengths.
    static Tolerance ofProducts(Matrix left, Matrix right) {
        double[] leftNorms = norms(left);
        double[] rightNorms = norms(right);
        double factor = 2 * Math.sqrt(left.cols()) * ULP;
        return (row, col) -> factor * leftNorms[row] * rightNorms[col];
    }

    /// Euclidean length of each row.
    static double[] norms(Matrix matrix) {
        double[] norms = new double[matrix.rows()];
        for (int r = 0; r < matrix.rows(); r++) {
            double squares = 0;
            for (int c = 0; c < matrix.cols(); c++) {
                squares += get(matrix, r, c) * get(matrix, r, c);
            }
            norms[r] = Math.sqrt(squares);
        }
        return norms;
    }
}
