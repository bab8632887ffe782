package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Softmax of scores, and the one-pass attention over a ring.
class AttentionKernelsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    @ParameterizedTest
    @CsvSource({"0, 1", "0, 30", "0, 1e4", "50, 20", "50, 1e4", "50, 1e30", "2, 1"})
    void softcapSoftmaxOfEverySpan(float cap, double scale) {
        Natives.run(kernels -> {
            for (int cols : Operands.EXTENTS) {
                for (int rows : new int[] {1, 2, 9, 65}) {
                    try (Operands operands = new Operands(11L * cols + rows)) {
                        Matrix scores = operands.matrix(DataType.F32, rows, cols, operands.anyStride(cols), scale);
                        int[] begin = operands.random().ints(rows, 0, cols + 1).toArray();
                        int[] end = operands.random().ints(rows, 0, cols + 1).toArray();
                        begin[rows - 1] = 0;
                        end[rows - 1] = cols;
                        Matrix raw = operands.copy(scores);
                        Matrix expected = operands.copy(scores);
                        REFERENCE.softcapSoftmax(expected, operands.ints(begin), operands.ints(end), cap);
                        kernels.softcapSoftmax(scores, operands.ints(begin), operands.ints(end), cap);
                        String what = "softmax of %s to %s".formatted(Arrays.toString(begin), Arrays.toString(end));
                        Difference.assertClose(
                                operands, scores, expected, softmaxTolerance(raw, expected, begin, end, cap), what);
                    }
                }
            }
        });
    }

    /// A probability errs in proportion by the error of its exponent: an ulp of the distance to the largest score,
    /// a few of the cap; and by the sum's.
    private static Difference.Tolerance softmaxTolerance(
            Matrix raw, Matrix probabilities, int[] begin, int[] end, float cap) {
        double[] largest = new double[raw.rows()];
        for (int r = 0; r < raw.rows(); r++) {
            largest[r] = Double.NEGATIVE_INFINITY;
            for (int c = begin[r]; c < end[r]; c++) {
                largest[r] = Math.max(largest[r], capped(get(raw, r, c), cap));
            }
        }
        double steps = 8 + 2 * Math.sqrt(raw.cols()) + 8 * cap;
        return (r, c) -> {
            double distance = largest[r] - capped(get(raw, r, c), cap);
            boolean seen = c >= begin[r] && c < end[r];
            return seen ? get(probabilities, r, c) * ULP * (steps + distance) + 2 * Float.MIN_NORMAL : 0;
        };
    }

    private static double capped(double score, float cap) {
        return cap > 0 ? cap * Math.tanh(score / cap) : score;
    }

    @Test
    void scoresThatAreAllMinusInfinityGetNoProbability() {
        Natives.run(kernels -> {
            try (Operands operands = new Operands(1)) {
                Matrix scores = operands.matrix(2, 33);
                for (int c = 0; c < 33; c++) {
                    Operands.set(scores, 0, c, Float.NEGATIVE_INFINITY);
                    Operands.set(scores, 1, c, c == 20 ? 1 : Float.NEGATIVE_INFINITY);
                }
                Matrix expected = operands.expected(2, 33);
                Operands.set(expected, 1, 20, 1);
                kernels.softcapSoftmax(scores, operands.ints(0, 0), operands.ints(33, 33), 0);
                Difference.assertEqual(operands, scores, expected, "softmax of -Infinity");
            }
        });
    }

    /// Rings that start anywhere and wrap, with one, some and all slots attended, by as many heads as share a KV
    /// head.
    @ParameterizedTest
    @CsvSource({
        // heads, kvHeads, headDim, softcap
        "1, 1, 2, 0",
        "1, 1, 256, 0",
        "4, 1, 256, 0",
        "8, 4, 64, 50",
        "4, 2, 24, 0",
        "6, 3, 18, 2",
        "16, 16, 34, 0",
        "8, 1, 130, 50",
        "3, 1, 66, 0"
    })
    void attendOverEveryPartOfARing(int heads, int kvHeads, int headDim, float softcap) {
        Natives.run(kernels -> {
            for (int slots : new int[] {1, 2, 9, 33, 64, 257}) {
                for (int count : IntStream.of(0, 1, Math.min(2, slots), slots / 2, slots)
                        .distinct()
                        .toArray()) {
                    for (int first : IntStream.of(0, slots - 1, slots - slots / 3 - 1)
                            .distinct()
                            .toArray()) {
                        check(kernels, heads, kvHeads, headDim, softcap, slots, first, count, 1);
                    }
                }
            }
        });
    }

    @ParameterizedTest
    @CsvSource({"0, 30", "50, 30", "0, 1e-6", "0, 1000", "50, 1e10"})
    void attendWithScoresOfAnySize(float softcap, double scale) {
        Natives.run(kernels -> {
            for (int count : Operands.EXTENTS) {
                check(kernels, 4, 2, 64, softcap, 300, 170, count, scale);
            }
        });
    }

    private static void check(
            NativeKernels kernels,
            int heads,
            int kvHeads,
            int headDim,
            float softcap,
            int slots,
            int first,
            int count,
            double scale) {
        try (Operands operands = new Operands(slots * 1000L + first * 31L + count)) {
            Heads keys = operands.cache(slots, kvHeads, headDim);
            Heads values = operands.cache(slots, kvHeads, headDim);
            double queryScale = scale / Math.sqrt(headDim);
            int cols = heads * headDim;
            Matrix query = operands.matrix(DataType.F32, 1, cols, cols, queryScale);
            Matrix out = operands.denseOutput(1, cols);
            Matrix expected = operands.expected(1, cols);
            kernels.attend(query, keys, values, first, count, softcap, out);
            REFERENCE.attend(query, keys, values, first, count, softcap, expected);
            Difference.Tolerance tolerance = attendTolerance(query, keys, values, count, softcap);
            String what = "attend, heads %d/%d of %d, %d from %d of %d slots, cap %s, scale %s"
                    .formatted(heads, kvHeads, headDim, count, first, slots, softcap, scale);
            Difference.assertClose(operands, out, expected, tolerance, what);
        }
    }

    /// The output is an average of values. Their weights err in proportion by the scores' errors, which are those
    /// of a product of length `headDim`, and by what the softmax adds.
    private static Difference.Tolerance attendTolerance(Matrix query, Heads keys, Heads values, int count, float cap) {
        int headDim = keys.headDim();
        int headsPerKv = query.cols() / headDim / keys.heads();
        double softmaxSteps = 16 + 2 * Math.sqrt(count) + 8 * cap;
        double[] tolerances = new double[query.cols() / headDim];
        for (int kvHead = 0; kvHead < keys.heads(); kvHead++) {
            double keyNorm = largest(Difference.norms(keys.head(kvHead, 0, keys.rows())));
            double value = largest(values.head(kvHead, 0, values.rows()));
            for (int head = kvHead * headsPerKv; head < (kvHead + 1) * headsPerKv; head++) {
                double queryNorm = Difference.norms(query.cols(head * headDim, headDim))[0];
                double scoreError = 2 * Math.sqrt(headDim) * ULP * queryNorm * keyNorm;
                double relative = 2 * Math.min(scoreError, cap > 0 ? 2 * cap : scoreError) + softmaxSteps * ULP;
                // An average of values is never further off than two of them are apart.
                tolerances[head] = Math.min(2, relative) * value;
            }
        }
        return (row, col) -> tolerances[col / headDim];
    }

    private static double largest(double... numbers) {
        return Arrays.stream(numbers).map(Math::abs).max().orElse(0);
    }

    private static double largest(Matrix matrix) {
        double largest = 0;
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                largest = Math.max(largest, Math.abs(get(matrix, r, c)));
            }
        }
        return largest;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void attendKeepsNothingOfTheCallBefore(int threads) {
        Natives.run("onednn", threads, false, kernels -> {
            try (Operands operands = new Operands(threads)) {
                Heads keys = operands.cache(257, 2, 64);
                Heads values = operands.cache(257, 2, 64);
                Matrix query = operands.matrix(DataType.F32, 1, 512, 512, 1);
                Matrix first = operands.denseOutput(1, 512);
                Matrix again = operands.denseOutput(1, 512);
                kernels.attend(query, keys, values, 200, 150, 0, first);
                kernels.attend(query, keys, values, 3, 257, 50, again);
                kernels.attend(query, keys, values, 200, 150, 0, again);
                Difference.assertEqual(operands, again, first, "attend again");
            }
        });
    }
}
