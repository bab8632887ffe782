package dev.lapidary.kernels;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What CPUs with matrix instructions multiply as tiles of BF16; the shim's own tests hold the tiles on every CPU.
class TiledKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    /// Around the groups of 16 rows, and from where packed weights are multiplied so.
    private static final int[] ROWS = {Products.MIN_TILED_PACKED_ROWS, 63, 64, 65, 130};

    private static void run(int threads, Consumer<NativeKernels> test) {
        Backends.open(Backends.DEFAULT);
        assumeTrue(StoredMatmul.hasTiles(), "this CPU has no matrix instructions for BF16");
        Natives.run(Backends.DEFAULT, threads, true, test);
    }

    @ParameterizedTest
    @EnumSource
    void packedWeightsAreRoundedToBf16(BlockFormat format) {
        run(2, kernels -> {
            for (int rows : ROWS) {
                try (Operands operands = new Operands(rows);
                        Arena arena = Arena.ofConfined()) {
                    List<PackedMatrix> parts = Stream.of(33, 1, 16, 64)
                            .map(outputs -> operands.packed(format, outputs, 1152, 1))
                            .toList();
                    Projection weights = new Projection(arena, parts);
                    Matrix in = operands.matrix(rows, weights.cols());
                    Matrix out = operands.output(rows, weights.rows());
                    kernels.project(in, weights, out);
                    int column = 0;
                    for (PackedMatrix part : parts) {
                        checkColumns(operands, in, part, out.cols(column, part.rows()));
                        column += part.rows();
                    }
                    operands.assertNothingBetweenRows(out, "project");
                }
            }
        });
    }

    private static void checkColumns(Operands operands, Matrix in, WeightMatrix weights, Matrix out) {
        Matrix rounded = ProductKernelsTest.rounded(operands, in);
        Matrix wide = ProductKernelsTest.rounded(operands, Panels.dense(weights));
        Matrix expected = operands.expected(in.rows(), weights.rows());
        REFERENCE.matmulTransposed(rounded, wide, expected);
        Difference.assertElementsClose(
                operands, out, expected, Difference.ofProducts(rounded, wide), "project " + weights.shape());
    }

    /// Formats may differ; the hidden activations are rounded once more.
    @Test
    void feedForwardIsGegluAndProject() {
        run(2, kernels -> {
            for (int rows : ROWS) {
                for (int neurons : new int[] {32, 64, 320}) {
                    try (Operands operands = new Operands(100L * rows + neurons);
                            Arena arena = Arena.ofConfined()) {
                        double scale = 1 / Math.sqrt(96);
                        PackedMatrix gate = operands.packed(BlockFormat.Q8_0, neurons, 96, scale);
                        PackedMatrix up = operands.packed(BlockFormat.Q4_0, neurons, 96, scale);
                        Matrix down = operands.matrix(DataType.BF16, 50, neurons, neurons + 3, scale);
                        Projection projection = new Projection(arena, List.of(down));
                        Matrix in = operands.matrix(rows, 96);
                        Matrix gated = operands.output(rows, neurons);
                        kernels.geglu(in, gate, up, gated);
                        Matrix out = operands.output(rows, 50);
                        kernels.feedForward(in, gate, up, projection, operands.output(rows, neurons), out);
                        checkColumns(operands, gated, down, out);
                        operands.assertNothingBetweenRows(out, "feedForward");
                    }
                }
            }
        });
    }

    /// A sum's order depends neither on the team nor on what other rows there are.
    @ParameterizedTest
    @EnumSource
    void theSameRowHasTheSameBitsInAnyCompany(BlockFormat format) {
        try (Operands operands = new Operands(5);
                Arena arena = Arena.ofShared()) {
            Projection weights = new Projection(arena, List.of(operands.packed(format, 517, 1152, 1)));
            int least = Products.MIN_TILED_PACKED_ROWS;
            Matrix in = operands.matrix(2 * least + 7, 1152);
            Matrix together = operands.output(in.rows(), 517);
            run(3, kernels -> kernels.project(in, weights, together));
            for (int threads : new int[] {1, 2}) {
                Matrix apart = operands.output(in.rows(), 517);
                run(threads, kernels -> {
                    kernels.project(in.rows(0, least), weights, apart.rows(0, least));
                    int left = in.rows() - least;
                    kernels.project(in.rows(least, left), weights, apart.rows(least, left));
                });
                Difference.assertEqual(operands, apart, together, threads + " threads");
            }
        }
    }
}
