package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The kernels of recurrent blocks over odd shapes, in two calls with the state of the first between them.
class RecurrentKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();
    private static final int ROWS = 7;

    @Test
    void causalConvIsTheSumOverTapsAndHandsItsInputsOn() {
        Natives.run(kernels -> {
            for (int cols : Operands.EXTENTS) {
                for (int width = 1; width <= 5; width++) {
                    try (Operands operands = new Operands(5L * cols + width)) {
                        Matrix in = operands.matrix(ROWS, cols);
                        Matrix taps = operands.matrix(DataType.F32, width, cols, cols, 1);
                        Matrix bias = operands.matrix(DataType.F32, 1, cols, cols, 1);
                        Matrix out = operands.output(ROWS, cols);
                        Matrix expected = operands.expected(ROWS, cols);
                        Matrix middle = operands.denseOutput(width - 1, cols);
                        Matrix end = operands.denseOutput(width - 1, cols);
                        Matrix expectedEnd = operands.expected(width - 1, cols);
                        kernels.causalConv(in, 0, 2, taps, bias, null, middle, out);
                        kernels.causalConv(in, 2, ROWS - 2, taps, bias, middle, end, out);
                        REFERENCE.causalConv(in, 0, ROWS, taps, bias, null, expectedEnd, expected);
                        double terms = width + 1;
                        Difference.assertClose(operands, out, expected, (r, c) -> 40 * terms * ULP, "causalConv");
                        Difference.assertEqual(operands, end, expectedEnd, "causalConv state");
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void blockDiagonalMultipliesEachBlockByItsOwnWeights(DataType type) {
        Natives.run(kernels -> {
            for (int n : Operands.EXTENTS) {
                for (int rows : new int[] {1, 3, 9}) {
                    try (Operands operands = new Operands(3L * n + rows)) {
                        int k = 1 + n % 37;
                        Matrix in = operands.matrix(rows, 3 * k);
                        Matrix weights = operands.matrix(type, 3 * k, n, n, 1);
                        Matrix bias = operands.matrix(DataType.F32, 1, 3 * n, 3L * n, 1);
                        Matrix out = operands.output(rows, 3 * n);
                        Matrix expected = operands.expected(rows, 3 * n);
                        kernels.blockDiagonal(in, weights, bias, out);
                        REFERENCE.blockDiagonal(in, weights, bias, expected);
                        Difference.Tolerance tolerance = (r, c) -> (k + 2) * 20 * ULP;
                        Difference.assertClose(operands, out, expected, tolerance, "blockDiagonal " + type);
                    }
                }
            }
        });
    }

    @Test
    void rgLruIsTheRecurrenceAndHandsItsStateOn() {
        Natives.run(kernels -> {
            for (int cols : Operands.EXTENTS) {
                try (Operands operands = new Operands(11L * cols)) {
                    Matrix in = operands.matrix(ROWS, cols);
                    Matrix inputGate = operands.matrix(DataType.F32, ROWS, cols, operands.anyStride(cols), 4);
                    Matrix recurrenceGate = operands.matrix(DataType.F32, ROWS, cols, operands.anyStride(cols), 4);
                    Matrix branch = operands.matrix(ROWS, cols);
                    Matrix rate = operands.matrix(DataType.F32, 1, cols, cols, 1);
                    for (int c = 0; c < cols; c++) {
                        Operands.set(rate, 0, c, (float) -Math.abs(get(rate, 0, c)) - 0.01f);
                    }
                    Matrix out = operands.output(ROWS, cols);
                    Matrix expected = operands.expected(ROWS, cols);
                    Matrix middle = operands.denseOutput(1, cols);
                    Matrix end = operands.denseOutput(1, cols);
                    Matrix expectedEnd = operands.expected(1, cols);
                    kernels.rgLru(in, inputGate, recurrenceGate, branch, 0, 3, rate, null, middle, out);
                    kernels.rgLru(in, inputGate, recurrenceGate, branch, 3, ROWS - 3, rate, middle, end, out);
                    REFERENCE.rgLru(in, inputGate, recurrenceGate, branch, 0, ROWS, rate, null, expectedEnd, expected);
                    Difference.assertClose(operands, out, expected, (r, c) -> 200 * ULP, "rgLru");
                    Difference.assertClose(operands, end, expectedEnd, (r, c) -> 100 * ULP, "rgLru state");
                }
            }
        });
    }

    @Test
    void addBiasAddsOneRowToEach() {
        Natives.run(kernels -> {
            for (int cols : Operands.EXTENTS) {
                try (Operands operands = new Operands(cols)) {
                    Matrix bias = operands.matrix(1, cols);
                    Matrix out = operands.matrix(ROWS, cols);
                    Matrix expected = operands.copy(out);
                    kernels.addBias(bias, out);
                    REFERENCE.addBias(bias, expected);
                    Difference.assertEqual(operands, out, expected, "addBias");
                }
            }
        });
    }

    @Test
    void gegluWithBiases() {
        Natives.run(kernels -> {
            for (int rows : new int[] {1, 9}) {
                for (DataType type : DataType.values()) {
                    try (Operands operands = new Operands(rows)) {
                        Matrix in = operands.matrix(rows, 65);
                        Matrix gate = operands.matrix(type, 33, 65, 65, 0.1);
                        Matrix up = operands.matrix(type, 33, 65, 65, 0.1);
                        Matrix gateBias = operands.matrix(1, 33);
                        Matrix upBias = operands.matrix(1, 33);
                        Matrix out = operands.output(rows, 33);
                        Matrix expected = operands.expected(rows, 33);
                        kernels.geglu(in, gate, gateBias, up, upBias, out);
                        REFERENCE.geglu(in, gate, gateBias, up, upBias, expected);
                        Difference.assertClose(operands, out, expected, (r, c) -> 300 * ULP, "geglu " + type);
                    }
                }
            }
        });
    }

    @Test
    void whatDoesNotFitIsRefusedByName() {
        Natives.run(kernels -> {
            try (Operands operands = new Operands(1)) {
                Matrix in = dense(operands, 3, 8);
                Matrix taps = dense(operands, 4, 8);
                Matrix row = dense(operands, 1, 8);
                Matrix next = dense(operands, 3, 8);
                Matrix out = dense(operands, 3, 8);
                refused(() -> kernels.causalConv(in, 2, 2, taps, row, null, next, out), "Range [2, 2 + 2) out of");
                refused(() -> kernels.causalConv(in, 0, 3, taps, row, row, next, out), "state: got F32 [1, 8], need");
                refused(() -> kernels.causalConv(in, 0, 3, taps, row, null, row, out), "next: got F32 [1, 8], need");
                refused(() -> kernels.causalConv(in, 0, 3, taps, taps, null, next, out), "bias: got F32 [4, 8], need");
                Matrix weights = dense(operands, 8, 4);
                refused(() -> kernels.blockDiagonal(in, weights.rows(0, 6), row, out), "weights: got F32 [6, 4], need");
                refused(
                        () -> kernels.blockDiagonal(in, weights.cols(0, 2), row, out),
                        "weights: got F32 [8, 2] stride");
                refused(() -> kernels.blockDiagonal(in, weights, weights, out), "bias: got F32 [8, 4], need [1, 8]");
                refused(() -> kernels.rgLru(in, in, in, in, 0, 4, row, null, row, out), "Range [0, 0 + 4) out of");
                refused(() -> kernels.rgLru(in, taps, in, in, 0, 3, row, null, row, out), "inputGate: got F32 [4, 8]");
                refused(() -> kernels.rgLru(in, in, in, in, 0, 3, taps, null, row, out), "rate: got F32 [4, 8], need");
                refused(() -> kernels.rgLru(in, in, in, in, 0, 3, row, taps, row, out), "state: got F32 [4, 8], need");
                refused(() -> kernels.addBias(taps, out), "bias: got F32 [4, 8], need [1, 8]");
            }
        });
    }

    private static Matrix dense(Operands operands, int rows, int cols) {
        return operands.matrix(DataType.F32, rows, cols, cols, 1);
    }

    private static void refused(Runnable call, String message) {
        assertThatThrownBy(call::run).isInstanceOf(RuntimeException.class).hasMessageStartingWith(message);
    }
}
