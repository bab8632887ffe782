package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Kernels that go through rows element by element.
class RowKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    /// The last is more than the piece of a row that one thread takes.
    private static final int[] COLS = IntStream.concat(Arrays.stream(Operands.EXTENTS), IntStream.of(4099))
            .toArray();

    private static int[] rows(int cols) {
        return cols > 257 ? new int[] {1, 3} : new int[] {1, 2, 9, 65};
    }

    @ParameterizedTest
    @EnumSource(DataType.class)
    void embedIsTheScaledRowExactly(DataType type) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(31L * cols + rows)) {
                        Matrix table = operands.matrix(type, 50, cols, operands.anyStride(cols), 3);
                        int[] ids = operands.random().ints(rows, 0, 50).toArray();
                        ids[rows - 1] = 49;
                        Matrix out = operands.output(rows, cols);
                        Matrix expected = operands.expected(rows, cols);
                        kernels.embed(table, operands.ints(ids), 55.5f, out);
                        REFERENCE.embed(table, operands.ints(ids), 55.5f, expected);
                        Difference.assertEqual(operands, out, expected, "embed " + type);
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 1e-4, 1e-12, 1e15})
    void rmsNormWithinRoundingAtAnySize(double scale) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(17L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        Matrix weight = operands.matrix(1, cols);
                        Matrix out = operands.output(rows, cols);
                        Matrix expected = operands.expected(rows, cols);
                        kernels.rmsNorm(in, weight, 1e-6f, out);
                        REFERENCE.rmsNorm(in, weight, 1e-6f, expected);
                        // A sum of squares loses no digits; its root halves the error.
                        double relative = (4 + Math.sqrt(cols)) * ULP;
                        Difference.Tolerance tolerance = (r, c) -> relative * Math.abs(get(expected, r, c));
                        Difference.assertClose(operands, out, expected, tolerance, "rmsNorm");
                        kernels.rmsNorm(in, weight, 1e-6f, in);
                        Difference.assertEqual(operands, in, out, "rmsNorm in place");
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @ValueSource(doubles = {1, 1e-4, 1e15})
    void rmsNormAddIsTheNormAdded(double scale) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(13L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        Matrix weight = operands.matrix(1, cols);
                        Matrix residual = operands.matrix(rows, cols);
                        Matrix normed = operands.expected(rows, cols);
                        REFERENCE.rmsNorm(in, weight, 1e-6f, normed);
                        Matrix expected = operands.copy(residual);
                        REFERENCE.rmsNormAdd(in, weight, 1e-6f, expected);
                        kernels.rmsNormAdd(in, weight, 1e-6f, residual);
                        double relative = (4 + Math.sqrt(cols)) * ULP;
                        Difference.Tolerance tolerance = (r, c) ->
                                relative * Math.abs(get(normed, r, c)) + 2 * ULP * Math.abs(get(expected, r, c));
                        Difference.assertClose(operands, residual, expected, tolerance, "rmsNormAdd");
                    }
                }
            }
        });
    }

    @Test
    void layerNormWithinRounding() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(11L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix weight = operands.matrix(1, cols);
                        Matrix bias = operands.matrix(1, cols);
                        Matrix out = operands.output(rows, cols);
                        Matrix expected = operands.expected(rows, cols);
                        kernels.layerNorm(in, weight, bias, 1e-6f, out);
                        REFERENCE.layerNorm(in, weight, bias, 1e-6f, expected);
                        // The mean's rounding counts as many times as the deviation is smaller than the elements;
                        // of one column the deviation is the root of epsilon.
                        double relative = (4 + Math.sqrt(cols)) * ULP * (cols <= 2 ? 4000 : 32);
                        Difference.Tolerance tolerance =
                                (r, c) -> relative * (Math.abs(get(weight, 0, c)) + Math.abs(get(expected, r, c)));
                        Difference.assertClose(operands, out, expected, tolerance, "layerNorm");
                        kernels.layerNorm(in, weight, bias, 1e-6f, in);
                        Difference.assertEqual(operands, in, out, "layerNorm in place");
                    }
                }
            }
        });
    }

    @Test
    void biasIsAddedExactlyAndGeluWithinRounding() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(7L * cols + rows)) {
                        Matrix x = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix bias = operands.matrix(1, cols);
                        Matrix added = operands.copy(x);
                        Matrix activated = operands.copy(x);
                        REFERENCE.addBias(bias, added);
                        REFERENCE.biasGelu(bias, activated);
                        Matrix got = operands.copy(x);
                        kernels.biasGelu(bias, got);
                        Difference.Tolerance tolerance = (r, c) ->
                                64 * ULP * Math.abs(get(activated, r, c)) + 4 * ULP * Math.abs(get(added, r, c));
                        Difference.assertClose(operands, got, activated, tolerance, "biasGelu");
                        kernels.addBias(bias, x);
                        Difference.assertEqual(operands, x, added, "addBias");
                    }
                }
            }
        });
    }

    @Test
    void rowsOfZerosHaveANormOfZeros() {
        Natives.run(kernels -> {
            try (Operands operands = new Operands(1)) {
                Matrix in = operands.matrix(DataType.F32, 3, 33, 40, 0);
                Matrix out = operands.output(3, 33);
                kernels.rmsNorm(in, operands.matrix(1, 33), 1e-6f, out);
                Difference.assertEqual(operands, out, operands.expected(3, 33), "rmsNorm of zeros");
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"1, 1", "1e30, 1e-30", "5e37, 5e37"})
    void addIsTheF32SumExactly(double scale, double otherScale) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(7L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        Matrix out = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), otherScale);
                        Matrix expected = operands.expected(rows, cols);
                        for (int r = 0; r < rows; r++) {
                            for (int c = 0; c < cols; c++) {
                                Operands.set(expected, r, c, (float) get(in, r, c) + (float) get(out, r, c));
                            }
                        }
                        kernels.add(in, out);
                        Difference.assertEqual(operands, out, expected, "add");
                    }
                }
            }
        });
    }

    @Test
    void productsAreGatedInPlaceWithinRounding() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(29L * cols + rows)) {
                        Matrix gate = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix up = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix expected = operands.copy(gate);
                        kernels.geglu(gate, up);
                        REFERENCE.geglu(expected, up);
                        Difference.Tolerance tolerance =
                                (r, c) -> 64 * ULP * Math.abs(get(expected, r, c)) + ULP * Math.abs(get(up, r, c));
                        Difference.assertClose(operands, gate, expected, tolerance, "geglu in place");
                    }
                }
            }
        });
    }

    @Test
    void scaleIsTheF32ProductExactly() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(5L * cols + rows)) {
                        Matrix x = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix expected = operands.copy(x);
                        kernels.scale(0.7071f, x);
                        REFERENCE.scale(0.7071f, expected);
                        Difference.assertEqual(operands, x, expected, "scale");
                    }
                }
            }
        });
    }

    @Test
    void multiplyIsTheF32ProductExactly() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(37L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 3);
                        Matrix weight = operands.matrix(1, cols);
                        Matrix out = operands.output(rows, cols);
                        Matrix expected = operands.expected(rows, cols);
                        kernels.multiply(in, weight, out);
                        REFERENCE.multiply(in, weight, expected);
                        Difference.assertEqual(operands, out, expected, "multiply");
                        kernels.multiply(in, weight, in);
                        Difference.assertEqual(operands, in, out, "multiply in place");
                    }
                }
            }
        });
    }

    /// The second size is below the least that is looked at.
    @ParameterizedTest
    @ValueSource(doubles = {3, 1e-4})
    void magnitudesBecomeThoseOfOthers(double scale) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(41L * cols + rows)) {
                        Matrix x = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        Matrix like = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 2);
                        Matrix expected = operands.copy(x);
                        kernels.matchMagnitude(like, x);
                        REFERENCE.matchMagnitude(like, expected);
                        double relative = (8 + Math.sqrt(cols)) * ULP;
                        Difference.Tolerance tolerance = (r, c) -> relative * Math.abs(get(expected, r, c));
                        Difference.assertClose(operands, x, expected, tolerance, "matchMagnitude");
                    }
                }
            }
        });
    }

    /// Products of few terms, so that the cutoff is what can go wrong.
    @ParameterizedTest
    @ValueSource(floats = {1.645f, 0, -1})
    void gatesBelowTheCutoffAreCutOff(float deviations) {
        Natives.run(kernels -> {
            for (int neurons : COLS) {
                for (int rows : new int[] {1, 9}) {
                    try (Operands operands = new Operands(43L * neurons + rows)) {
                        Matrix in = operands.matrix(rows, 5);
                        Matrix gate = operands.matrix(neurons, 5);
                        Matrix up = operands.matrix(neurons, 5);
                        Matrix out = operands.output(rows, neurons);
                        Matrix expected = operands.expected(rows, neurons);
                        kernels.sparseGeglu(in, gate, up, deviations, out);
                        REFERENCE.sparseGeglu(in, gate, up, deviations, expected);
                        Difference.Tolerance tolerance =
                                (r, c) -> 64 * (4 + Math.sqrt(neurons)) * ULP * (1 + Math.abs(get(expected, r, c)));
                        Difference.assertClose(operands, out, expected, tolerance, "sparseGeglu");
                    }
                }
            }
        });
    }

    @Test
    void scaledRowsAreAddedToThoseNamedAndToNoOthers() {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(23L * cols + rows)) {
                        Matrix in = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), 1);
                        Matrix out = operands.matrix(DataType.F32, 2 * rows, cols, operands.anyStride(cols), 3);
                        int[] ids = IntStream.range(0, rows)
                                .map(r -> 2 * (rows - r) - 1)
                                .toArray();
                        MemorySegment factors = operands.matrix(1, rows).data();
                        Matrix expected = operands.copy(out);
                        kernels.addScaledRows(in, operands.ints(ids), factors, out);
                        REFERENCE.addScaledRows(in, operands.ints(ids), factors, expected);
                        Difference.Tolerance tolerance = (r, c) -> ULP * (2 + Math.abs(get(expected, r, c)));
                        Difference.assertClose(operands, out, expected, tolerance, "addScaledRows");
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"30, 1", "30, 100", "50, 1e-6", "30, 1e30", "1e-3, 1"})
    void softcapWithinRoundingOnBothSidesOfTheCap(float cap, double scale) {
        Natives.run(kernels -> {
            for (int cols : COLS) {
                for (int rows : rows(cols)) {
                    try (Operands operands = new Operands(3L * cols + rows)) {
                        Matrix x = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        Matrix expected = operands.copy(x);
                        kernels.softcap(x, cap);
                        REFERENCE.softcap(expected, cap);
                        Difference.Tolerance tolerance = (r, c) -> 6 * ULP * Math.abs(get(expected, r, c));
                        Difference.assertClose(operands, x, expected, tolerance, "softcap");
                    }
                }
            }
        });
    }

    /// Angles are taken in double: at position 131071 an F32 angle would be off by hundredths of a radian.
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 9, 64})
    void ropeTableIsTheCosineAndSineOfTheExactAngle(int rows) {
        Natives.run(kernels -> {
            for (int half : Operands.EXTENTS) {
                try (Operands operands = new Operands(half)) {
                    double[] frequencies = new double[half];
                    Arrays.setAll(frequencies, i -> Math.pow(1e4, -i / (double) half) / (half % 2 == 0 ? 8 : 1));
                    int[] positions = operands.random().ints(rows, 0, 131072).toArray();
                    positions[0] = rows == 1 ? 131071 : 0;
                    Matrix cos = operands.denseOutput(rows, half);
                    Matrix sin = operands.denseOutput(rows, half);
                    Matrix expectedCos = operands.expected(rows, half);
                    Matrix expectedSin = operands.expected(rows, half);
                    kernels.ropeTable(operands.doubles(frequencies), operands.ints(positions), cos, sin);
                    REFERENCE.ropeTable(
                            operands.doubles(frequencies), operands.ints(positions), expectedCos, expectedSin);
                    Difference.assertClose(operands, cos, expectedCos, (r, c) -> ULP / 2, "cos");
                    Difference.assertClose(operands, sin, expectedSin, (r, c) -> ULP / 2, "sin");
                }
            }
        });
    }
}
