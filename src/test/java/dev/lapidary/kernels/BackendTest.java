package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.lapidary.TestBackends;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Every backend against sums in double. `-Dlapidary.test.backends=mkl,cblas:/path` adds those that do not come with
/// us.
class BackendTest {
    private static final int[][] SHAPES = {
        {1, 1, 1},
        {1, 33, 65},
        {2, 7, 9},
        {8, 64, 32},
        {31, 1, 33},
        {33, 65, 31},
        {64, 257, 65},
        {65, 9, 257},
        {33, 8, 64},
    };

    static List<String> specs() {
        return TestBackends.all();
    }

    static Stream<Arguments> products() {
        return specs().stream().flatMap(spec -> Stream.of(SHAPES).map(shape -> Arguments.of(spec, shape)));
    }

    @ParameterizedTest
    @MethodSource("products")
    void multiplies(String spec, int[] shape) {
        Backend backend = Backends.open(spec);
        for (int gap : new int[] {0, 3, 64}) {
            try (Arena arena = Arena.ofConfined()) {
                for (boolean transposeRight : new boolean[] {true, false}) {
                    Product product = new Product(
                            arena, backend, DataType.F32, transposeRight, shape[0], shape[1], shape[2], gap);
                    product.multiply();
                    product.check();
                }
                if (backend.multiplies(DataType.BF16) && (gap == 0 || shape[2] % 32 == 0)) {
                    Product product =
                            new Product(arena, backend, DataType.BF16, true, shape[0], shape[1], shape[2], gap);
                    product.multiply();
                    product.check();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("specs")
    void multipliesAlikeWithAnyNumberOfThreads(String spec) {
        Backend backend = Backends.open(spec);
        try (Arena arena = Arena.ofConfined()) {
            for (int threads : new int[] {3, 1, 2}) {
                backend.threads(threads);
                assertThat(backend.info().threads()).isEqualTo(threads);
                Product product = new Product(arena, backend, DataType.F32, true, 129, 300, 200, 5);
                product.multiply();
                product.check();
            }
        } finally {
            backend.threads(Runtime.getRuntime().availableProcessors());
        }
    }

    @ParameterizedTest
    @MethodSource("specs")
    void aProductWithoutElementsIsNoWork(String spec) {
        Backend backend = Backends.open(spec);
        try (Arena arena = Arena.ofConfined()) {
            backend.matmulTransposed(matrix(arena, 0, 5), matrix(arena, 3, 5), matrix(arena, 0, 3));
            backend.matmul(matrix(arena, 2, 5), matrix(arena, 5, 0), matrix(arena, 2, 0));
        }
    }

    @ParameterizedTest
    @MethodSource("specs")
    void refusesShapesThatDoNotFit(String spec) {
        Backend backend = Backends.open(spec);
        try (Arena arena = Arena.ofConfined()) {
            Matrix a = matrix(arena, 2, 5);
            refuses(
                    () -> backend.matmulTransposed(a, matrix(arena, 3, 4), matrix(arena, 2, 3)),
                    "right: got F32 [3, 4]");
            refuses(() -> backend.matmulTransposed(a, matrix(arena, 3, 5), matrix(arena, 3, 2)), "out: got F32 [3, 2]");
            refuses(() -> backend.matmul(a, matrix(arena, 4, 3), matrix(arena, 2, 3)), "right: got F32 [4, 3]");
            refuses(() -> backend.matmul(a, matrix(arena, 5, 3), matrix(arena, 2, 4)), "out: got F32 [2, 4]");
            refuses(
                    () -> backend.matmul(matrix(arena, 2, 0), matrix(arena, 0, 3), matrix(arena, 2, 3)),
                    "left: got F32 [2, 0], need at least one column");
            if (backend.multiplies(DataType.BF16)) {
                Matrix cut = Matrix.allocate(arena, DataType.BF16, 2, 34).cols(0, 33);
                refuses(
                        () -> backend.matmulTransposed(cut, cut, matrix(arena, 2, 2)),
                        "left: got BF16 [2, 33] stride 34, need a dense one or a multiple of 32 columns");
            }
            Matrix half = Matrix.allocate(arena, DataType.F16, 2, 5);
            refuses(
                    () -> backend.matmulTransposed(half, half, matrix(arena, 2, 2)),
                    "left: got F16 [2, 5], need a type that %s multiplies".formatted(backend.name()));
            refuses(
                    () -> backend.matmulTransposed(a, half, matrix(arena, 2, 2)),
                    "right: got F16 [2, 5], need F32 as left is");
            refuses(() -> backend.matmul(a, matrix(arena, 5, 3), Matrix.allocate(arena, DataType.BF16, 2, 3)), "out: ");
        }
    }

    @ParameterizedTest
    @MethodSource("specs")
    void allocatesNothingOnceWarm(String spec) {
        Backend backend = Backends.open(spec);
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Arena arena = Arena.ofShared()) {
            Product one = new Product(arena, backend, DataType.F32, true, 8, 16, 32, 0);
            Product other = new Product(arena, backend, DataType.F32, false, 8, 16, 32, 1);
            int calls = 20_000;
            long bytes = Long.MAX_VALUE;
            // Interpreted and half-compiled code boxes arguments; the compiler gets there while these run
            for (int round = 0; round < 50 && bytes > calls; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < calls; i++) {
                    one.multiply();
                    other.multiply();
                }
                bytes = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(bytes).as("bytes in %d calls", 2 * calls).isLessThan(calls);
        }
    }

    @Test
    void aBackendIsOpenedOnce() {
        assertThat(Backends.open(Backends.DEFAULT)).isSameAs(Backends.open("onednn"));
    }

    @Test
    void anUnknownBackendIsRefusedWithTheChoices() {
        for (String spec : List.of("blas", "", "cblas:", "OneDNN")) {
            refuses(
                    () -> Backends.open(spec),
                    "backend: got \"%s\", need onednn, openblas, mkl or cblas:/path/to/library.so".formatted(spec));
        }
    }

    private static void refuses(Runnable call, String message) {
        assertThatIllegalArgumentException().isThrownBy(call::run).withMessageContaining(message);
    }

    private static Matrix matrix(Arena arena, int rows, int cols) {
        return Matrix.allocate(arena, rows, cols);
    }
}
