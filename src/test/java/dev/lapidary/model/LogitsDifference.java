package dev.lapidary.model;

import static dev.lapidary.kernels.ReferenceKernels.get;

import dev.lapidary.kernels.Matrix;
import java.util.function.UnaryOperator;

/// How far logits are from the reference's.
final class LogitsDifference {
    private LogitsDifference() {}

    /// `max |got - expected| / max |expected|`, computing the logits row by row.
    static double relative(Matrix expected, UnaryOperator<Matrix> logits, Matrix residual) {
        double largest = 0;
        double worst = 0;
        for (int row = 0; row < expected.rows(); row++) {
            Matrix got = logits.apply(residual.row(row));
            for (int id = 0; id < expected.cols(); id++) {
                double difference = Math.abs(get(got, 0, id) - get(expected, row, id));
                worst = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(worst, difference);
                largest = Math.max(largest, Math.abs(get(expected, row, id)));
            }
        }
        return worst / largest;
    }
}
