package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.kernels.Kernels.RopeTable;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Norm, rotation and scale of head vectors, between the layouts of a projection and of a cache.
class HeadKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();
    private static final int[] HEAD_DIMS = {2, 8, 14, 16, 18, 32, 34, 64, 66, 128, 256};
    private static final float EPSILON = 1e-6f;

    @ParameterizedTest
    @CsvSource({"1, 1", "1, 3", "2, 1", "7, 2", "9, 4", "33, 1"})
    void everyCombinationOfItsParts(int rows, int heads) {
        Natives.run(kernels -> {
            for (int headDim : HEAD_DIMS) {
                for (boolean normed : new boolean[] {false, true}) {
                    for (int rotated : new int[] {0, 2, headDim / 4 * 2, headDim}) {
                        check(kernels, rows, heads, headDim, normed, rotated, normed ? 0.0625f : 1);
                    }
                }
            }
        });
    }

    private static void check(
            NativeKernels kernels, int rows, int heads, int headDim, boolean normed, int rotated, float scale) {
        String what =
                "headNormRope of [%d, %d, %d], norm %s, %d rotated".formatted(rows, heads, headDim, normed, rotated);
        try (Operands operands = new Operands(1000L * rows + 10L * headDim + rotated)) {
            Matrix in = operands.matrix(DataType.F32, rows, heads * headDim, operands.anyStride(heads * headDim), 3);
            Matrix norm = normed ? operands.matrix(1, headDim) : null;
            RopeTable rope = rotated == 0 ? null : rope(operands, rows, rotated / 2);
            Matrix expected = operands.expected(rows, heads * headDim);
            REFERENCE.headNormRope(Heads.of(in, headDim), norm, EPSILON, rope, scale, Heads.of(expected, headDim));
            Difference.Tolerance tolerance = tolerance(operands, in, norm, headDim, scale);

            Matrix out = operands.output(rows, heads * headDim);
            kernels.headNormRope(Heads.of(in, headDim), norm, EPSILON, rope, scale, Heads.of(out, headDim));
            Difference.assertClose(operands, out, expected, tolerance, what);

            Heads slots = operands.cache(rows + 3, heads, headDim);
            kernels.headNormRope(Heads.of(in, headDim), norm, EPSILON, rope, scale, slots.rows(2, rows));
            Matrix stored = operands.expected(rows, heads * headDim);
            for (int head = 0; head < heads; head++) {
                copy(slots.head(head, 2, rows), stored.cols(head * headDim, headDim));
            }
            Difference.assertEqual(operands, stored, out, what + ", to a cache");

            kernels.headNormRope(Heads.of(in, headDim), norm, EPSILON, rope, scale, Heads.of(in, headDim));
            Difference.assertEqual(operands, in, out, what + ", in place");
        }
    }

    /// Slots beside those written keep what they hold.
    @ParameterizedTest
    @ValueSource(ints = {2, 16, 66})
    void onlyTheSlotsGivenAreWritten(int headDim) {
        Natives.run(kernels -> {
            try (Operands operands = new Operands(headDim)) {
                Heads slots = operands.cache(9, 3, headDim);
                Matrix before = new Matrix(slots.data(), DataType.F32, 27, headDim, headDim);
                Matrix expected = operands.copy(before);
                Matrix in = operands.matrix(4, 3 * headDim);
                Heads rows = Heads.of(in, headDim);
                kernels.headNormRope(rows, 0, 1, null, EPSILON, null, 1, slots, 2);
                kernels.headNormRope(rows, 1, 3, null, EPSILON, null, 1, slots, 3);
                assertThatThrownBy(() -> kernels.headNormRope(rows, 2, 3, null, EPSILON, null, 1, slots, 0))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                assertThatThrownBy(() -> kernels.headNormRope(rows, 0, 2, null, EPSILON, null, 1, slots, 8))
                        .isInstanceOf(IndexOutOfBoundsException.class);
                for (int head = 0; head < 3; head++) {
                    copy(in.cols(head * headDim, headDim), expected.rows(head * 9 + 2, 4));
                }
                Difference.assertEqual(operands, before, expected, "slots");
            }
        });
    }

    private static RopeTable rope(Operands operands, int rows, int half) {
        Matrix cos = operands.denseOutput(rows, half);
        Matrix sin = operands.denseOutput(rows, half);
        double[] frequencies = new double[half];
        Arrays.setAll(frequencies, i -> Math.pow(1e4, -i / (double) half));
        int[] positions = operands.random().ints(rows, 0, 10000).toArray();
        REFERENCE.ropeTable(operands.doubles(frequencies), operands.ints(positions), cos, sin);
        return new RopeTable(cos, sin);
    }

    /// A rotated element is a sum of two products; the norm's factor errs as a root of a sum of squares does.
    private static Difference.Tolerance tolerance(
            Operands operands, Matrix in, @Nullable Matrix norm, int headDim, float scale) {
        Matrix normed = operands.expected(in.rows(), in.cols());
        REFERENCE.headNormRope(Heads.of(in, headDim), norm, EPSILON, null, scale, Heads.of(normed, headDim));
        double relative = (5 + Math.sqrt(headDim)) * ULP;
        return (row, col) -> {
            double largest = 0;
            int head = col / headDim * headDim;
            for (int i = head; i < head + headDim; i++) {
                largest = Math.max(largest, Math.abs(get(normed, row, i)));
            }
            return relative * largest;
        };
    }

    private static void copy(Matrix from, Matrix to) {
        for (int r = 0; r < from.rows(); r++) {
            for (int c = 0; c < from.cols(); c++) {
                Operands.set(to, r, c, (float) get(from, r, c));
            }
        }
    }
}
