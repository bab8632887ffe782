package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;

import dev.lapidary.TestBackends;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Products of rows with stored weights and of activations with each other, on every backend, with few rows (streamed
/// by the shim) and with many (multiplied by the backend).
class ProductKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    /// On both sides of where the backend takes over.
    private static final int[] ROWS = {1, 2, 3, 5, Products.MAX_STREAMED_ROWS, Products.MAX_STREAMED_ROWS + 1, 17, 33};

    /// Rounding to BF16 is asked for where it could happen, and refused where it must not.
    static Stream<Arguments> cases() {
        return TestBackends.inBounds().stream()
                .flatMap(backend -> Stream.of(
                        Arguments.of(backend, DataType.F32, true),
                        Arguments.of(backend, DataType.F16, true),
                        Arguments.of(backend, DataType.BF16, true),
                        Arguments.of(backend, DataType.BF16, false)));
    }

    static List<String> backends() {
        return TestBackends.inBounds();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void projectWithinRounding(String backend, DataType type, boolean bf16) {
        Natives.run(backend, 2, bf16, kernels -> {
            for (int rows : ROWS) {
                for (int i = 0; i < Operands.EXTENTS.length; i++) {
                    int inputs = Operands.EXTENTS[i];
                    for (int step : new int[] {0, 4}) {
                        int outputs = Operands.EXTENTS[(i + step) % Operands.EXTENTS.length];
                        try (Operands operands = new Operands(100_000L * rows + 300L * inputs + outputs);
                                Arena arena = Arena.ofConfined()) {
                            long stride = operands.anyStride(inputs);
                            Matrix weights = operands.matrix(type, outputs, inputs, stride, 1);
                            boolean rounded = rounds(backend, type, bf16, rows);
                            checkProjection(kernels, operands, new Projection(arena, List.of(weights)), rows, rounded);
                        }
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @MethodSource("cases")
    void projectionsOfSeveralPartsStandSideBySide(String backend, DataType type, boolean bf16) {
        Natives.run(backend, 2, bf16, kernels -> {
            for (int rows : ROWS) {
                for (int inputs : new int[] {1, 9, 64, 257}) {
                    try (Operands operands = new Operands(100_000L * rows + inputs);
                            Arena arena = Arena.ofConfined()) {
                        long stride = operands.anyStride(inputs);
                        List<Matrix> parts = Stream.of(33, 1, 8, 64)
                                .map(outputs -> operands.matrix(type, outputs, inputs, stride, 1))
                                .toList();
                        boolean rounded = rounds(backend, type, bf16, rows);
                        checkProjection(kernels, operands, new Projection(arena, parts), rows, rounded);
                    }
                }
            }
        });
    }

    private static void checkProjection(
            NativeKernels kernels, Operands operands, Projection weights, int rows, boolean rounded) {
        Matrix in = operands.matrix(rows, weights.cols());
        Matrix out = operands.output(rows, weights.rows());
        kernels.project(in, weights, out);
        Matrix multiplied = rounded ? rounded(operands, in) : in;
        int column = 0;
        for (WeightMatrix stored : weights.parts()) {
            Matrix part = rounded ? rounded(operands, (Matrix) stored) : (Matrix) stored;
            Matrix expected = operands.expected(rows, part.rows());
            REFERENCE.matmulTransposed(multiplied, part, expected);
            String what =
                    "project, %s [%d, %d], rounded %s".formatted(part.type(), weights.rows(), weights.cols(), rounded);
            Difference.Tolerance tolerance = Difference.ofProducts(multiplied, part);
            Difference.assertElementsClose(operands, out.cols(column, part.rows()), expected, tolerance, what);
            column += part.rows();
        }
        operands.assertNothingBetweenRows(out, "project");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gegluWithinRounding(String backend, DataType type, boolean bf16) {
        Natives.run(backend, 2, bf16, kernels -> {
            for (int rows : ROWS) {
                Stored stored = new Stored(type, 5, rounds(backend, type, bf16, rows));
                for (int i = 0; i < Operands.EXTENTS.length; i++) {
                    int inputs = Operands.EXTENTS[i];
                    int neurons = Operands.EXTENTS[(i + 4) % Operands.EXTENTS.length];
                    checkGeglu(kernels, rows, inputs, neurons, stored, stored, 1);
                    checkGeglu(kernels, rows, inputs, neurons, stored, stored, 30);
                }
                // More neurons than the piece of a row that one thread takes.
                checkGeglu(kernels, rows, 9, 4099, stored, stored, 1);
            }
        });
    }

    /// Weights that cannot be streamed together are multiplied apart.
    @ParameterizedTest
    @MethodSource("backends")
    void gegluOfWeightsStoredDifferently(String backend) {
        Natives.run(backend, 2, true, kernels -> {
            for (int rows : ROWS) {
                boolean streamed = rows <= Products.MAX_STREAMED_ROWS;
                Stored wide = new Stored(DataType.F32, 0, false);
                boolean bf16 = !streamed && Backends.open(backend).multiplies(DataType.BF16);
                Stored narrow = new Stored(DataType.BF16, 0, bf16);
                Stored half = new Stored(DataType.F16, 0, !streamed && StoredMatmul.hasTiles());
                checkGeglu(kernels, rows, 65, 33, wide, narrow, 1);
                checkGeglu(kernels, rows, 65, 33, narrow, half, 1);
                checkGeglu(kernels, rows, 65, 33, wide, new Stored(DataType.F32, 3, false), 1);
            }
        });
    }

    /// What is between stays in the order of the products, and is rounded where those round.
    @ParameterizedTest
    @MethodSource("cases")
    void feedForwardIsGegluAndProject(String backend, DataType type, boolean bf16) {
        Natives.run(backend, 2, bf16, kernels -> {
            for (int rows : ROWS) {
                for (int neurons : new int[] {1, 32, 100, 257}) {
                    try (Operands operands = new Operands(100L * rows + neurons);
                            Arena arena = Arena.ofConfined()) {
                        Matrix gate = operands.matrix(type, neurons, 96, 96, 0.1);
                        Matrix up = operands.matrix(type, neurons, 96, 99, 0.1);
                        Projection down =
                                new Projection(arena, List.of(operands.matrix(type, 50, neurons, neurons + 3, 0.1)));
                        Matrix in = operands.matrix(rows, 96);
                        Matrix gated = operands.output(rows, neurons);
                        kernels.geglu(in, gate, up, gated);
                        Matrix expected = operands.output(rows, 50);
                        kernels.project(gated, down, expected);
                        Matrix out = operands.output(rows, 50);
                        kernels.feedForward(in, gate, up, down, operands.output(rows, neurons), out);
                        Difference.assertEqual(operands, out, expected, "feedForward, " + type);
                    }
                }
            }
        });
    }

    /// How weights lie: their type, what lies between rows, and whether they and their inputs are rounded to BF16.
    private record Stored(DataType type, int padding, boolean rounded) {}

    private static void checkGeglu(
            NativeKernels kernels,
            int rows,
            int inputs,
            int neurons,
            Stored gateStored,
            Stored upStored,
            double scale) {
        try (Operands operands = new Operands(100_000L * rows + 300L * inputs + neurons)) {
            double weightScale = scale / Math.sqrt(inputs);
            Matrix gate =
                    operands.matrix(gateStored.type(), neurons, inputs, inputs + gateStored.padding(), weightScale);
            Matrix up = operands.matrix(upStored.type(), neurons, inputs, inputs + upStored.padding(), weightScale);
            Matrix in = operands.matrix(rows, inputs);
            Matrix gateIn = gateStored.rounded() ? rounded(operands, in) : in;
            Matrix upIn = upStored.rounded() ? rounded(operands, in) : in;
            Matrix out = operands.output(rows, neurons);
            kernels.geglu(in, gate, up, out);
            Matrix gated = operands.expected(rows, neurons);
            Matrix upped = operands.expected(rows, neurons);
            Matrix gateWeights = gateStored.rounded() ? rounded(operands, gate) : gate;
            Matrix upWeights = upStored.rounded() ? rounded(operands, up) : up;
            REFERENCE.matmulTransposed(gateIn, gateWeights, gated);
            REFERENCE.matmulTransposed(upIn, upWeights, upped);
            Matrix expected = operands.expected(rows, neurons);
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < neurons; c++) {
                    double gelu = ReferenceKernels.geluTanh(get(gated, r, c));
                    Operands.set(expected, r, c, (float) (gelu * get(upped, r, c)));
                }
            }
            Difference.Tolerance gateError = Difference.ofProducts(gateIn, gateWeights);
            Difference.Tolerance upError = Difference.ofProducts(upIn, upWeights);
            // GELU is nowhere steeper than 1.13; its own error is a few ulp of its argument.
            Difference.Tolerance tolerance = (r, c) -> {
                double g = Math.abs(get(gated, r, c)) + gateError.of(r, c);
                double u = Math.abs(get(upped, r, c)) + upError.of(r, c);
                return 1.13 * gateError.of(r, c) * u + upError.of(r, c) * g + 6 * ULP * g * u + Float.MIN_NORMAL;
            };
            String what = "geglu, %s and %s [%d, %d]".formatted(gateStored, upStored, neurons, inputs);
            Difference.assertClose(operands, out, expected, tolerance, what);
        }
    }

    @ParameterizedTest
    @MethodSource("backends")
    void productsOfActivationsWithinRounding(String backend) {
        Natives.run(backend, 2, true, kernels -> {
            for (int rows : new int[] {1, 5, 33}) {
                for (int i = 0; i < Operands.EXTENTS.length; i++) {
                    int inner = Operands.EXTENTS[i];
                    int outputs = Operands.EXTENTS[(i + 5) % Operands.EXTENTS.length];
                    try (Operands operands = new Operands(100_000L * rows + inner)) {
                        Matrix left = operands.matrix(rows, inner);
                        Matrix right = operands.matrix(outputs, inner);
                        Matrix out = operands.output(rows, outputs);
                        Matrix expected = operands.expected(rows, outputs);
                        kernels.matmulTransposed(left, right, out);
                        REFERENCE.matmulTransposed(left, right, expected);
                        Difference.Tolerance tolerance = Difference.ofProducts(left, right);
                        Difference.assertClose(operands, out, expected, tolerance, "matmulTransposed " + inner);

                        Matrix straight = operands.matrix(inner, outputs);
                        Matrix turned = operands.expected(outputs, inner);
                        for (int r = 0; r < inner; r++) {
                            for (int c = 0; c < outputs; c++) {
                                Operands.set(turned, c, r, (float) get(straight, r, c));
                            }
                        }
                        Matrix product = operands.output(rows, outputs);
                        kernels.matmul(left, straight, product);
                        REFERENCE.matmul(left, straight, expected);
                        Difference.assertClose(
                                operands, product, expected, Difference.ofProducts(left, turned), "matmul " + inner);
                    }
                }
            }
        });
    }

    /// More rows than a panel of widened weights has: the panels' outputs must meet.
    @ParameterizedTest
    @MethodSource("backends")
    void weightsLargerThanAPanelAreWidenedPanelByPanel(String backend) {
        Natives.run(backend, 2, false, kernels -> {
            for (DataType type : List.of(DataType.BF16, DataType.F16)) {
                try (Operands operands = new Operands(1);
                        Arena arena = Arena.ofConfined()) {
                    Matrix weights = operands.matrix(type, 300, 2500, 2501, 1);
                    checkProjection(kernels, operands, new Projection(arena, List.of(weights)), 9, false);
                }
            }
        });
    }

    /// Whether both operands are rounded to BF16: only where asked for, natively supported, and many rows at once.
    private static boolean rounds(String backend, DataType type, boolean bf16, int rows) {
        boolean nativeBf16 = Backends.open(backend).multiplies(DataType.BF16);
        return bf16
                && rows > Products.MAX_STREAMED_ROWS
                && switch (type) {
                    case F32 -> false;
                    case BF16 -> nativeBf16;
                    case F16 -> StoredMatmul.hasTiles();
                };
    }

    /// Each element to the nearest BF16, ties to even.
    static Matrix rounded(Operands operands, Matrix matrix) {
        Matrix rounded = operands.copy(matrix);
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                int bits = Float.floatToIntBits((float) get(matrix, r, c));
                int nearest = bits + 0x7fff + (bits >>> 16 & 1);
                Operands.set(rounded, r, c, Float.intBitsToFloat(nearest & 0xffff0000));
            }
        }
        return rounded;
    }
}
