package dev.lapidary.kernels;

import static dev.lapidary.kernels.KernelChecks.requireExtents;
import static dev.lapidary.kernels.KernelChecks.requireF32;
import static dev.lapidary.kernels.KernelChecks.requireShape;

/// What must hold before a product goes to a library: BLAS can only complain on standard error.
final class MatmulChecks {
    private MatmulChecks() {}

    /// `[m, k], [n, k] -> [m, n]`
    static void requireTransposed(Backend backend, Matrix left, Matrix right, Matrix out) {
        if (!backend.multiplies(left.type())) {
            throw new IllegalArgumentException(
                    "left: got %s, need a type that %s multiplies".formatted(left.shape(), backend.name()));
        }
        if (right.type() != left.type()) {
            throw new IllegalArgumentException(
                    "right: got %s, need %s as left is".formatted(right.shape(), left.type()));
        }
        requireColumns(left);
        requireExtents("right", right, right.rows(), left.cols());
        requireShape("out", out, left.rows(), right.rows());
    }

    /// `[m, k], [k, n] -> [m, n]`
    static void requirePlain(Matrix left, Matrix right, Matrix out) {
        requireF32("left", left);
        requireColumns(left);
        requireShape("right", right, left.cols(), right.cols());
        requireShape("out", out, left.rows(), right.cols());
    }

    private static void requireColumns(Matrix left) {
        if (left.cols() == 0) {
            throw new IllegalArgumentException("left: got %s, need at least one column".formatted(left.shape()));
        }
    }
}
