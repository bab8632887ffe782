package dev.lapidary.kernels;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.TestBackends;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Products with block-quantized weights: inputs quantized by blocks on the fast path, exact weights in F32 on the
/// other.
class PackedKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    /// Around the rows that are multiplied at a time, 16, and the panels' rows, 16 as well.
    private static final int[] ROWS = {1, 2, 3, 8, 9, 16, 17, 41};

    private static final int[] OUTPUTS = {1, 15, 16, 17, 33, 257};

    /// One block, an odd number of them, and more than go into a cache line.
    private static final int[] INPUTS = {32, 64, 96, 1152};

    @ParameterizedTest
    @EnumSource
    void projectIsTheSumOfQuantizedProducts(BlockFormat format) {
        Natives.run(Backends.DEFAULT, 2, true, kernels -> {
            for (int rows : ROWS) {
                for (int i = 0; i < OUTPUTS.length; i++) {
                    int inputs = INPUTS[(i + rows) % INPUTS.length];
                    try (Operands operands = new Operands(100L * rows + i);
                            Arena arena = Arena.ofConfined()) {
                        PackedMatrix weights = operands.packed(format, OUTPUTS[i], inputs, 1);
                        check(kernels, operands, new Projection(arena, List.of(weights)), rows);
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void partsStandSideBySide(BlockFormat format) {
        Natives.run(Backends.DEFAULT, 2, true, kernels -> {
            for (int rows : ROWS) {
                for (int inputs : INPUTS) {
                    try (Operands operands = new Operands(100L * rows + inputs);
                            Arena arena = Arena.ofConfined()) {
                        List<PackedMatrix> parts = Stream.of(33, 1, 16, 64)
                                .map(outputs -> operands.packed(format, outputs, inputs, 1))
                                .toList();
                        check(kernels, operands, new Projection(arena, parts), rows);
                    }
                }
            }
        });
    }

    private static void check(NativeKernels kernels, Operands operands, Projection weights, int rows) {
        Matrix in = operands.matrix(rows, weights.cols());
        Matrix out = operands.output(rows, weights.rows());
        kernels.project(in, weights, out);
        Matrix quantized = Panels.quantized(operands, in);
        int column = 0;
        for (WeightMatrix part : weights.parts()) {
            Matrix wide = Panels.dense(part);
            Matrix expected = operands.expected(rows, part.rows());
            REFERENCE.matmulTransposed(quantized, wide, expected);
            Difference.assertElementsClose(
                    operands,
                    out.cols(column, part.rows()),
                    expected,
                    Difference.ofProducts(quantized, wide),
                    "project " + part.shape());
            column += part.rows();
        }
        operands.assertNothingBetweenRows(out, "project");
    }

    @ParameterizedTest
    @EnumSource
    void gegluIsOfQuantizedInputs(BlockFormat format) {
        Natives.run(Backends.DEFAULT, 2, true, kernels -> {
            for (int rows : ROWS) {
                for (int neurons : OUTPUTS) {
                    checkGeglu(kernels, format, rows, 96, neurons);
                }
            }
        });
    }

    private static void checkGeglu(NativeKernels kernels, BlockFormat format, int rows, int inputs, int neurons) {
        try (Operands operands = new Operands(1000L * rows + neurons)) {
            PackedMatrix gate = operands.packed(format, neurons, inputs, 1 / Math.sqrt(inputs));
            PackedMatrix up = operands.packed(format, neurons, inputs, 1 / Math.sqrt(inputs));
            Matrix in = operands.matrix(rows, inputs);
            Matrix out = operands.output(rows, neurons);
            kernels.geglu(in, gate, up, operands.output(rows, neurons), out);
            Matrix quantized = Panels.quantized(operands, in);
            Matrix expected = operands.expected(rows, neurons);
            REFERENCE.geglu(quantized, gate, up, operands.expected(rows, neurons), expected);
            Difference.Tolerance gateError = Difference.ofProducts(quantized, Panels.dense(gate));
            Difference.Tolerance upError = Difference.ofProducts(quantized, Panels.dense(up));
            // Values are around 1, and beyond 8 nowhere
            Difference.Tolerance tolerance =
                    (r, c) -> 8 * (1.13 * gateError.of(r, c) + upError.of(r, c)) + 64 * 6 * Difference.ULP;
            Difference.assertClose(operands, out, expected, tolerance, "geglu " + gate.shape());
        }
    }

    static Stream<Arguments> formatsOnBackends() {
        return TestBackends.inBounds().stream()
                .flatMap(backend -> Stream.of(BlockFormat.values()).map(format -> Arguments.of(backend, format)));
    }

    @ParameterizedTest
    @MethodSource("formatsOnBackends")
    void withoutRoundingTheExactWeightsAreMultipliedInF32(String backend, BlockFormat format) {
        Natives.run(backend, 2, false, kernels -> {
            for (int rows : new int[] {1, 8, 17}) {
                try (Operands operands = new Operands(rows);
                        Arena arena = Arena.ofConfined()) {
                    // More rows than one panel of widened weights has
                    PackedMatrix weights = operands.packed(format, 1000, 1152, 1);
                    Matrix in = operands.matrix(rows, 1152);
                    Matrix out = operands.output(rows, 1000);
                    kernels.project(in, new Projection(arena, List.of(weights)), out);
                    Matrix wide = Panels.dense(weights);
                    Matrix expected = operands.expected(rows, 1000);
                    REFERENCE.matmulTransposed(in, wide, expected);
                    Difference.assertClose(operands, out, expected, Difference.ofProducts(in, wide), "project");
                    Matrix gated = operands.output(rows, 1000);
                    kernels.geglu(in, weights, weights, operands.output(rows, 1000), gated);
                    Matrix once = operands.output(rows, 1000);
                    kernels.geglu(in, wide, wide, operands.output(rows, 1000), once);
                    Difference.Tolerance error = Difference.ofProducts(in, wide);
                    Difference.assertClose(
                            operands,
                            gated,
                            once,
                            (r, c) -> 4 * error.of(r, c) * (Math.abs(get(expected, r, c)) + 1),
                            "geglu");
                }
            }
        });
    }

    @ParameterizedTest
    @EnumSource
    void embeddingsAreTheExactRowsTimesTheScale(BlockFormat format) {
        Natives.run(kernels -> {
            try (Operands operands = new Operands(3)) {
                PackedMatrix table = operands.packed(format, 37, 96, 1);
                MemorySegment ids = operands.ints(36, 0, 16, 16, 15);
                Matrix out = operands.output(5, 96);
                kernels.embed(table, ids, 11.5f, out);
                Matrix expected = operands.expected(5, 96);
                REFERENCE.embed(table, ids, 11.5f, expected);
                Difference.assertClose(
                        operands, out, expected, (r, c) -> Difference.ULP * Math.abs(get(expected, r, c)), "embed");
            }
        });
    }

    /// A sum's order depends neither on the team nor on what other rows there are.
    @ParameterizedTest
    @EnumSource
    void theSameRowHasTheSameBitsInAnyCompany(BlockFormat format) {
        try (Operands operands = new Operands(5);
                Arena arena = Arena.ofShared()) {
            Projection weights = new Projection(arena, List.of(operands.packed(format, 517, 384, 1)));
            Matrix in = operands.matrix(40, 384);
            Matrix together = operands.output(40, 517);
            Natives.run(Backends.DEFAULT, 3, true, kernels -> kernels.project(in, weights, together));
            for (int threads : new int[] {1, 2}) {
                Matrix alone = operands.output(40, 517);
                Natives.run(Backends.DEFAULT, threads, true, kernels -> {
                    for (int r = 0; r < 40; r++) {
                        kernels.project(in.row(r), weights, alone.row(r));
                    }
                });
                Difference.assertEqual(operands, alone, together, threads + " threads");
            }
        }
    }

    @Test
    void whatCannotBeBlocksOrPanelsIsRefused() {
        MemorySegment room = Arena.ofAuto().allocate(4096, 64);
        assertThatThrownBy(() -> new PackedMatrix(room, BlockFormat.Q8_0, 16, 33))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("packed matrix: got [16, 33], need at least one row and columns a multiple of 32");
        assertThatThrownBy(() -> new PackedMatrix(room, BlockFormat.Q8_0, 129, 32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("packed matrix Q8_0 \\[129, 32]: got 4096 bytes, need \\d+");
        assertThatThrownBy(() -> new PackedMatrix(room.asSlice(4), BlockFormat.Q4_0, 16, 32))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageMatching("packed matrix: address 0x[0-9a-f]+, need a multiple of 64");
        PackedMatrix eight = new PackedMatrix(room, BlockFormat.Q8_0, 16, 32);
        PackedMatrix four = new PackedMatrix(room, BlockFormat.Q4_0, 16, 32);
        assertThatThrownBy(() -> new Projection(Arena.ofAuto(), List.of(eight, four)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("projection: got Q4_0 [16, 32] beside Q8_0 [16, 32], need the same type and columns");
        assertThat(eight.elementBytes()).isGreaterThanOrEqualTo(16 * 34);
        assertThat(four.elementBytes()).isGreaterThanOrEqualTo(16 * 18);
    }
}
