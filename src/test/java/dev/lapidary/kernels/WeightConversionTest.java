package dev.lapidary.kernels;

import static dev.lapidary.kernels.ReferenceKernels.get;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/// Weights in other formats: dense ones to the nearest, block-quantized ones as GGUF's reference makes them, to the
/// bit.
class WeightConversionTest {
    private final Arena arena = Arena.ofShared();

    @BeforeEach
    void load() {
        DriverThread.run(() -> Backends.open(Backends.DEFAULT));
    }

    @AfterEach
    void free() {
        arena.close();
    }

    static Stream<Arguments> sourcesAndBlocks() {
        return Stream.of(DataType.values())
                .flatMap(type -> Stream.of(BlockFormat.values()).map(format -> Arguments.of(type, format)));
    }

    @ParameterizedTest
    @MethodSource("sourcesAndBlocks")
    void blocksAreTheReferences(DataType type, BlockFormat format) {
        for (int rows : new int[] {1, 16, 37}) {
            for (int cols : new int[] {32, 96, 256}) {
                Matrix stored = random(type, rows, cols, 7L * rows + cols);
                float[][] values = values(stored);
                PackedMatrix packed = (PackedMatrix) convert(WeightConversion.to(format), stored);
                for (int r = 0; r < rows; r++) {
                    for (int block = 0; block < cols / 32; block++) {
                        assertBlock(packed, r, block, values[r]);
                    }
                }
            }
        }
    }

    /// The definition of ggml's `quantize_row_q8_0_ref` and `quantize_row_q4_0_ref`.
    private static void assertBlock(PackedMatrix packed, int row, int block, float[] values) {
        boolean bytes = packed.blockFormat() == BlockFormat.Q8_0;
        float largest = 0;
        float signed = 0;
        for (int i = 0; i < 32; i++) {
            float x = values[block * 32 + i];
            if (Math.abs(x) > largest) {
                largest = Math.abs(x);
                signed = x;
            }
        }
        float scale = bytes ? largest / 127 : signed / -8;
        float inverse = scale == 0 ? 0 : 1 / scale;
        assertThat(Panels.scale(packed, row, block)).isEqualTo(Float.float16ToFloat(Float.floatToFloat16(scale)));
        for (int i = 0; i < 32; i++) {
            float x = values[block * 32 + i] * inverse;
            int expected = bytes ? awayFromZero(x) : Math.min(15, (int) (x + 8.5f)) - 8;
            assertThat(Panels.value(packed, row, block * 32 + i))
                    .as("row %d, block %d, value %d, %s * %s", row, block, i, values[block * 32 + i], inverse)
                    .isEqualTo(expected);
        }
    }

    /// C's `roundf`.
    private static int awayFromZero(float x) {
        return (int) (Math.signum(x) * Math.floor(Math.abs((double) x) + 0.5));
    }

    static Stream<Arguments> sourcesAndTypes() {
        return Stream.of(DataType.values())
                .flatMap(from -> Stream.of(DataType.F32, DataType.BF16)
                        .filter(to -> to != from)
                        .map(to -> Arguments.of(from, to)));
    }

    @ParameterizedTest
    @MethodSource("sourcesAndTypes")
    void denseTypesAreRoundedToTheNearest(DataType from, DataType to) {
        Matrix stored = random(from, 37, 65, 3);
        float[][] values = values(stored);
        Matrix made = (Matrix) convert(WeightConversion.to(to), stored);
        assertThat(made.type()).isEqualTo(to);
        for (int r = 0; r < 37; r++) {
            for (int c = 0; c < 65; c++) {
                double error = Math.abs(get(made, r, c) - values[r][c]);
                double most = to == DataType.F32 ? 0 : Math.abs(values[r][c]) * 0x1p-8;
                assertThat(error).isLessThanOrEqualTo(most);
            }
        }
    }

    @Test
    void packedWeightsAreConvertedByTheirExactValues() {
        PackedMatrix eight =
                (PackedMatrix) convert(WeightConversion.to(BlockFormat.Q8_0), random(DataType.F32, 37, 96, 9));
        Matrix wide = (Matrix) convert(WeightConversion.to(DataType.F32), eight);
        PackedMatrix four = (PackedMatrix) convert(WeightConversion.to(BlockFormat.Q4_0), eight);
        for (int r = 0; r < 37; r++) {
            float[] row = new float[96];
            for (int c = 0; c < 96; c++) {
                row[c] = Panels.get(eight, r, c);
                assertThat(get(wide, r, c)).isEqualTo(row[c]);
            }
            for (int block = 0; block < 3; block++) {
                assertBlock(four, r, block, row);
            }
        }
    }

    /// More than a slice, with an end that is no whole one.
    @ParameterizedTest
    @EnumSource
    void slicesMeetAndProgressAddsUp(BlockFormat format) {
        Matrix stored = random(DataType.F32, 5000, 1024, 4);
        float[] last = values(stored.row(4999))[0];
        float[] middle = values(stored.row(4096))[0];
        List<Long> progress = new ArrayList<>();
        WeightConversion conversion = WeightConversion.to(format);
        PackedMatrix packed = (PackedMatrix) conversion.convert(stored, arena, progress::add);
        assertThat(progress).hasSizeGreaterThan(1);
        assertThat(progress.stream().mapToLong(bytes -> bytes).sum()).isEqualTo(stored.elementBytes());
        assertBlock(packed, 4999, 31, last);
        assertBlock(packed, 4096, 0, middle);
        assertThat(packed.elementBytes()).isEqualTo(conversion.bytes(stored));
    }

    @Test
    void whatIsOfTheFormatOrFitsNoBlocksStays() {
        Matrix odd = random(DataType.BF16, 4, 33, 1);
        assertThat(WeightConversion.to(BlockFormat.Q8_0).changes(odd)).isFalse();
        assertThat(WeightConversion.to(DataType.BF16).changes(odd)).isFalse();
        assertThat(WeightConversion.to(DataType.F32).changes(odd)).isTrue();
        PackedMatrix eight =
                (PackedMatrix) convert(WeightConversion.to(BlockFormat.Q8_0), random(DataType.F32, 3, 32, 2));
        assertThat(WeightConversion.to(BlockFormat.Q8_0).changes(eight)).isFalse();
        assertThat(WeightConversion.to(BlockFormat.Q4_0).changes(eight)).isTrue();
        assertThatThrownBy(() -> WeightConversion.to(DataType.F16))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("weights: got F16, need F32, BF16, Q8_0 or Q4_0");
    }

    private WeightMatrix convert(WeightConversion conversion, WeightMatrix stored) {
        assertThat(conversion.changes(stored)).isTrue();
        return conversion.convert(stored, arena, _ -> {});
    }

    /// Normal values, with blocks of zeros and a block of one value among them.
    private Matrix random(DataType type, int rows, int cols, long seed) {
        java.util.Random random = new java.util.Random(seed);
        Matrix matrix = Matrix.allocate(arena, type, rows, cols);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                boolean zero = r % 7 == 3 && c / 32 == 0;
                Operands.set(matrix, r, c, zero ? 0 : r % 7 == 5 ? -0.25f : (float) random.nextGaussian());
            }
        }
        return matrix;
    }

    /// Copied, because a conversion gives back the pages that it reads.
    private static float[][] values(Matrix matrix) {
        float[][] values = new float[matrix.rows()][matrix.cols()];
        for (int r = 0; r < matrix.rows(); r++) {
            for (int c = 0; c < matrix.cols(); c++) {
                values[r][c] = (float) get(matrix, r, c);
            }
        }
        return values;
    }
}
