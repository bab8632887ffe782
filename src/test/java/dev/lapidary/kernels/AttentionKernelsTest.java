package dev.lapidary.kernels;

import static dev.lapidary.kernels.Difference.ULP;
import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.MemorySegment;
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
                        DataType type = (slots + count) % 2 == 0 ? DataType.F32 : DataType.BF16;
                        check(kernels, type, heads, kvHeads, headDim, softcap, slots, first, count, 1);
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
                check(kernels, DataType.F32, 4, 2, 64, softcap, 300, 170, count, scale);
            }
        });
    }

    private static void check(
            NativeKernels kernels,
            DataType type,
            int heads,
            int kvHeads,
            int headDim,
            float softcap,
            int slots,
            int first,
            int count,
            double scale) {
        try (Operands operands = new Operands(slots * 1000L + first * 31L + count)) {
            Heads keys = operands.cache(type, slots, kvHeads, headDim);
            Heads values = operands.cache(type, slots, kvHeads, headDim);
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

    /// Against the attention of one position after the other: F32 products of F32 matrices are left to a backend, the
    /// rest is done at once, by matrix instructions where inputs may be rounded and the CPU has them.
    @ParameterizedTest
    @CsvSource({"F32, false", "F32, true", "BF16, false", "BF16, true"})
    void attendRowsIsTheAttentionOfEachPosition(DataType cache, boolean rounded) {
        Natives.run(Backends.DEFAULT, 2, rounded, kernels -> {
            int rows = 70;
            int slots = 128;
            try (Operands operands = new Operands(9)) {
                Heads keys = operands.cache(cache, slots, 2, 32);
                Heads values = operands.cache(cache, slots, 2, 32);
                Matrix query = operands.matrix(rows, 4 * 32);
                Matrix out = operands.output(rows, 4 * 32);
                int[] begins = new int[rows];
                int[] ends = new int[rows];
                for (int r = 0; r < rows; r++) {
                    begins[r] = Math.max(0, r - 40);
                    ends[r] = Math.min(100, r + 30);
                }
                boolean done = kernels.attendRows(
                        Heads.of(query, 32),
                        keys,
                        values,
                        90,
                        100,
                        operands.ints(begins),
                        operands.ints(ends),
                        5f,
                        Heads.of(out, 32));
                assertThat(done).isEqualTo(rounded || cache == DataType.BF16);
                if (!done) {
                    return;
                }
                Matrix expected = operands.expected(rows, 4 * 32);
                for (int r = 0; r < rows; r++) {
                    int first = (90 + begins[r]) % slots;
                    REFERENCE.attend(query.row(r), keys, values, first, ends[r] - begins[r], 5f, expected.row(r));
                }
                // Tiles round scores of heads of 32 by some 2^-7, which the softmax makes relative; values are around 1
                double relative = rounded && StoredMatmul.hasTiles() ? 0.02 : 1e-5;
                Difference.assertElementsClose(
                        operands, out, expected, (r, c) -> relative * (1 + Math.abs(get(expected, r, c))), "rows");
                operands.assertNothingBetweenRows(out, "attendRows");
            }
        });
    }

    @Test
    void attendRowsChecksItsExtents() {
        Natives.run(Backends.DEFAULT, 2, true, kernels -> {
            try (Operands operands = new Operands(9)) {
                Heads keys = operands.cache(64, 2, 32);
                Heads narrow = operands.cache(DataType.BF16, 64, 2, 32);
                Heads query = Heads.of(operands.matrix(3, 128), 32);
                Heads three = Heads.of(operands.matrix(3, 96), 32);
                MemorySegment begin = operands.ints(0, 0, 0);
                MemorySegment end = operands.ints(1, 2, 11);
                assertThatThrownBy(() -> kernels.attendRows(query, keys, keys, 0, 10, begin, end, 0, query))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("span of row 2: got [0, 11), need within [0, 10)");
                assertThatThrownBy(() -> kernels.attendRows(query, keys, keys, 0, 65, begin, end, 0, query))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("slots: got 65 from 0, need within a ring of 64");
                assertThatThrownBy(() -> kernels.attendRows(three, keys, keys, 0, 20, begin, end, 0, three))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("query: got 3 heads, need a multiple of 2");
                assertThatThrownBy(() -> kernels.attendRows(query, keys, narrow, 0, 20, begin, end, 0, query))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("values: got BF16 by strides 32 and 2048, need the keys' F32 by 32 and 2048");
                assertThatThrownBy(() -> kernels.attendRows(query, keys, keys, 0, 20, begin, end, 0, narrow))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("out: got BF16, need F32");
            }
        });
    }
}
