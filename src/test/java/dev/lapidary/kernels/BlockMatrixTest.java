package dev.lapidary.kernels;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.TestBackends;
import dev.lapidary.checkpoint.GgufFile;
import dev.lapidary.checkpoint.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Blocks of GGUF files in place. The files are llama-quantize's own, and so are the F32 values beside them
/// (`src/test/python/gguf_block_fixtures.py`).
class BlockMatrixTest {
    private static final int ROWS = 12;
    private static final int COLS = 512;

    private final Arena arena = Arena.ofShared();

    @BeforeAll
    static void loadTheShim() {
        DriverThread.run(() -> Backends.open(Backends.DEFAULT));
    }

    @AfterEach
    void close() {
        arena.close();
    }

    @ParameterizedTest
    @EnumSource
    void valuesAreGgmlsToTheBit(BlockType type) {
        Matrix expected = wide(type);
        Matrix got = Matrix.allocate(arena, ROWS, COLS);
        Natives.run(_ -> Gemm.widen(blocks(type), got));
        assertThat(bits(got)).isEqualTo(bits(expected));
    }

    @ParameterizedTest
    @EnumSource
    void embeddingsAreScaledRows(BlockType type) {
        Matrix expected = wide(type);
        try (Operands operands = new Operands(1)) {
            Matrix out = operands.output(4, COLS);
            Natives.run(kernels -> kernels.embed(blocks(type), operands.ints(11, 0, 5, 11), 3.5f, out));
            for (int c = 0; c < COLS; c++) {
                assertThat(get(out, 0, c)).isEqualTo((float) get(expected, 11, c) * 3.5f);
                assertThat(get(out, 2, c)).isEqualTo((float) get(expected, 5, c) * 3.5f);
            }
            operands.assertNothingBetweenRows(out, "embed");
        }
    }

    @ParameterizedTest
    @EnumSource
    void productsAreThoseOfTheValues(BlockType type) {
        for (boolean rounded : new boolean[] {false, true}) {
            Natives.run(Backends.DEFAULT, 2, rounded, kernels -> {
                for (int rows : new int[] {1, 2, 3, 7, 8, 9, 17}) {
                    check(kernels, rows, List.of(blocks(type)), rounded);
                }
            });
        }
    }

    static List<String> backends() {
        return TestBackends.inBounds();
    }

    /// Mixed files have, say, Q4_K queries beside Q6_K values; and some matrices are not quantized at all.
    @ParameterizedTest
    @MethodSource("backends")
    void partsMayDiffer(String backend) {
        for (boolean rounded : new boolean[] {false, true}) {
            Natives.run(backend, 2, rounded, kernels -> {
                for (int rows : new int[] {1, 8, 9}) {
                    check(
                            kernels,
                            rows,
                            List.of(blocks(BlockType.Q4_K), blocks(BlockType.Q6_K), wide(BlockType.Q5_0)),
                            rounded);
                    check(kernels, rows, List.of(blocks(BlockType.Q4_K), half(BlockType.Q6_K)), rounded);
                    check(kernels, rows, List.of(blocks(BlockType.Q4_K), blocks(BlockType.Q4_K)), rounded);
                    check(
                            kernels,
                            rows,
                            List.of(wide(BlockType.Q4_K), half(BlockType.Q4_K), wide(BlockType.Q2_K)),
                            rounded);
                }
            });
        }
    }

    /// @param rounded whether inputs may be: a few rows to int8 beside blocks, more to BF16 with their weights where
    ///                the CPU has matrix instructions, unless the weights are F32
    private static void check(NativeKernels kernels, int rows, List<WeightMatrix> parts, boolean rounded) {
        boolean few = rows <= Products.MAX_STREAMED_ROWS;
        try (Operands operands = new Operands(rows);
                Arena arena = Arena.ofConfined()) {
            Projection weights = new Projection(arena, parts);
            Matrix in = operands.matrix(rows, COLS);
            Matrix out = operands.output(rows, weights.rows());
            kernels.project(in, weights, out);
            int column = 0;
            for (WeightMatrix part : parts) {
                boolean quantized = rounded && few && part instanceof BlockMatrix;
                boolean tiled = rounded && !few && StoredMatmul.hasTiles() && StoredMatmul.takes(part);
                Matrix multiplied = quantized
                        ? Panels.quantized(operands, in)
                        : tiled ? ProductKernelsTest.rounded(operands, in) : in;
                Matrix exact = Panels.dense(part);
                Matrix wide = tiled ? ProductKernelsTest.rounded(operands, exact) : exact;
                Matrix expected = operands.expected(rows, part.rows());
                new ReferenceKernels().matmulTransposed(multiplied, wide, expected);
                Difference.assertElementsClose(
                        operands,
                        out.cols(column, part.rows()),
                        expected,
                        Difference.ofProducts(multiplied, wide),
                        "project " + part.shape());
                column += part.rows();
            }
            operands.assertNothingBetweenRows(out, "project");
        }
    }

    @Test
    void gegluTakesGateAndUpOfAnyFormat() {
        Natives.run(kernels -> {
            for (int rows : new int[] {1, 8, 9}) {
                checkGeglu(kernels, rows, blocks(BlockType.Q4_K), blocks(BlockType.Q4_K), false);
                checkGeglu(kernels, rows, blocks(BlockType.Q4_K), blocks(BlockType.Q5_1), false);
                checkGeglu(kernels, rows, wide(BlockType.Q4_K), blocks(BlockType.Q4_K), false);
            }
        });
        Natives.run(Backends.DEFAULT, 2, true, kernels -> {
            for (int rows : new int[] {1, 3, 8}) {
                checkGeglu(kernels, rows, blocks(BlockType.Q4_K), blocks(BlockType.Q4_K), true);
                checkGeglu(kernels, rows, blocks(BlockType.Q4_K), blocks(BlockType.Q5_1), true);
            }
        });
    }

    /// @param quantized whether a few inputs are, to int8
    private static void checkGeglu(
            NativeKernels kernels, int rows, WeightMatrix gate, WeightMatrix up, boolean quantized) {
        try (Operands operands = new Operands(rows)) {
            Matrix in = operands.matrix(DataType.F32, rows, COLS, COLS, 0.05);
            Matrix out = operands.output(rows, ROWS);
            kernels.geglu(in, gate, up, out);
            Matrix expected = operands.expected(rows, ROWS);
            new ReferenceKernels().geglu(quantized ? Panels.quantized(operands, in) : in, gate, up, expected);
            Difference.assertClose(
                    operands, out, expected, (r, c) -> 1e-5 * (1 + Math.abs(get(expected, r, c))), "geglu");
        }
    }

    /// Q8_0 and Q4_0 get panels of the very same numbers; other types stay unless somebody asks.
    @ParameterizedTest
    @EnumSource
    void onlyWhatHasPanelsIsLaidOutAnew(BlockType type) {
        WeightConversion conversion = WeightConversion.repacking(blocks(type));
        assertThat(conversion != null).isEqualTo(type == BlockType.Q8_0 || type == BlockType.Q4_0);
        if (conversion != null) {
            assertThat(conversion.changes(blocks(type))).isTrue();
            PackedMatrix packed = (PackedMatrix) conversion.convert(blocks(type), arena, _ -> {});
            assertThat(bits(Panels.dense(packed))).isEqualTo(bits(wide(type)));
            assertThat(conversion.changes(packed)).isFalse();
        }
    }

    @ParameterizedTest
    @EnumSource
    void everyTypeBecomesWhatIsAskedFor(BlockType type) {
        Matrix dense = (Matrix) WeightConversion.to(DataType.F32).convert(blocks(type), arena, _ -> {});
        assertThat(bits(dense)).isEqualTo(bits(wide(type)));
        WeightMatrix requantized = WeightConversion.to(BlockFormat.Q8_0).convert(blocks(type), arena, _ -> {});
        WeightMatrix quantized = WeightConversion.to(BlockFormat.Q8_0).convert(wide(type), arena, _ -> {});
        assertThat(bits(Panels.dense(requantized))).isEqualTo(bits(Panels.dense(quantized)));
    }

    @Test
    void whatIsNoBlocksIsRefused() {
        MemorySegment room = arena.allocate(144);
        assertThatThrownBy(() -> new BlockMatrix(room, BlockType.Q4_K, 1, 128))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("block matrix Q4_K: got [1, 128], need columns a multiple of 256");
        assertThatThrownBy(() -> new BlockMatrix(room, BlockType.Q4_K, 2, 256))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("block matrix Q4_K [2, 256]: got 144 bytes, need 288");
        assertThat(new BlockMatrix(room, BlockType.Q4_K, 1, 256).shape()).isEqualTo("Q4_K [1, 256]");
    }

    private BlockMatrix blocks(BlockType type) {
        return new BlockMatrix(tensor(type.name().toLowerCase(Locale.ROOT)).data(), type, ROWS, COLS);
    }

    private Matrix wide(BlockType type) {
        return Matrix.dense(
                tensor(type.name().toLowerCase(Locale.ROOT) + "-f32").data(), DataType.F32, ROWS, COLS);
    }

    private Matrix half(BlockType type) {
        Matrix wide = wide(type);
        Matrix half = Matrix.allocate(arena, DataType.F16, ROWS, COLS);
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < COLS; c++) {
                Operands.set(half, r, c, (float) get(wide, r, c));
            }
        }
        return half;
    }

    private Tensor tensor(String file) {
        try {
            return Objects.requireNonNull(GgufFile.map(Path.of("src/test/resources/gguf", file + ".gguf"), arena)
                    .tensors()
                    .get("token_embd.weight"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static int[] bits(Matrix matrix) {
        return matrix.data().asSlice(0, matrix.elementBytes()).toArray(ValueLayout.JAVA_INT);
    }
}
