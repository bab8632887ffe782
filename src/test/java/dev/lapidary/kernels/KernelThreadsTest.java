package dev.lapidary.kernels;

import dev.lapidary.TestBackends;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The team's size changes who computes, not what: results stay within their tolerance, and the same size gives the
/// same numbers each time.
class KernelThreadsTest {
    private static final ReferenceKernels REFERENCE = new ReferenceKernels();

    static Stream<Arguments> cases() {
        return TestBackends.inBounds().stream()
                .flatMap(backend -> IntStream.of(1, 2, 3, 5).mapToObj(threads -> Arguments.of(backend, threads)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void project(String backend, int threads) {
        for (int rows : new int[] {1, Products.MAX_STREAMED_ROWS, Products.MAX_STREAMED_ROWS + 1}) {
            try (Operands operands = new Operands(rows);
                    Arena arena = Arena.ofShared()) {
                Matrix weights = operands.matrix(DataType.BF16, 517, 385, 385, 1);
                Matrix in = operands.matrix(rows, 385);
                Matrix expected = operands.expected(rows, 517);
                REFERENCE.matmulTransposed(in, weights, expected);
                Projection projection = new Projection(arena, List.of(weights));
                Matrix out = repeated(
                        operands, backend, threads, rows, 517, (kernels, to) -> kernels.project(in, projection, to));
                Difference.assertClose(operands, out, expected, Difference.ofProducts(in, weights), "project");
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void attend(String backend, int threads) {
        try (Operands operands = new Operands(threads)) {
            Heads keys = operands.cache(1024, 1, 64);
            Heads values = operands.cache(1024, 1, 64);
            Matrix query = operands.matrix(DataType.F32, 1, 256, 256, 0.1);
            Matrix expected = operands.expected(1, 256);
            REFERENCE.attend(query, keys, values, 900, 1000, 0, expected);
            Matrix out = repeated(
                    operands,
                    backend,
                    threads,
                    1,
                    256,
                    (kernels, to) -> kernels.attend(query, keys, values, 900, 1000, 0, to));
            // An average of a thousand values around 1; the scores are around 1 too.
            Difference.assertClose(operands, out, expected, (r, c) -> 1e-5, "attend");
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void rows(String backend, int threads) {
        try (Operands operands = new Operands(threads)) {
            Matrix in = operands.matrix(301, 640);
            Matrix weight = operands.matrix(1, 640);
            Matrix expected = operands.expected(301, 640);
            REFERENCE.rmsNorm(in, weight, 1e-6f, expected);
            Matrix out = repeated(
                    operands, backend, threads, 301, 640, (kernels, to) -> kernels.rmsNorm(in, weight, 1e-6f, to));
            Difference.assertClose(
                    operands,
                    out,
                    expected,
                    (r, c) -> 30 * Difference.ULP * Math.abs(ReferenceKernels.get(expected, r, c)),
                    "rmsNorm");
        }
    }

    /// An operation on an output.
    @FunctionalInterface
    private interface Call {
        void on(NativeKernels kernels, Matrix out);
    }

    /// The output of a call that is made again, between calls by a team of another size.
    private static Matrix repeated(Operands operands, String backend, int threads, int rows, int cols, Call call) {
        Matrix first = operands.output(rows, cols);
        Consumer<NativeKernels> otherSize = kernels -> call.on(kernels, operands.output(rows, cols));
        Natives.run(backend, threads, false, kernels -> call.on(kernels, first));
        Natives.run(backend, threads + 1, false, otherSize);
        Natives.run(backend, threads, false, kernels -> {
            for (int i = 0; i < 3; i++) {
                Matrix again = operands.output(rows, cols);
                call.on(kernels, again);
                Difference.assertEqual(operands, again, first, "%d threads again".formatted(threads));
            }
        });
        return first;
    }
}
