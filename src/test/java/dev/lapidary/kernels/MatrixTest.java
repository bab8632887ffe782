package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Views of memory: a [Matrix], [Heads] and a [Projection] never reach beyond what they were made of.
class MatrixTest {
    private final Arena arena = Arena.ofConfined();

    @AfterEach
    void free() {
        arena.close();
    }

    @ParameterizedTest
    @CsvSource({"F32, 3, 5, 5, 60", "F32, 3, 5, 7, 76", "BF16, 3, 5, 7, 38", "F16, 1, 9, 100, 18", "F32, 0, 5, 9, 0"})
    void aMatrixNeedsTheBytesUpToItsLastElement(DataType type, int rows, int cols, long stride, long bytes) {
        assertThat(new Matrix(arena.allocate(bytes, 4), type, rows, cols, stride).rows())
                .isEqualTo(rows);
        if (bytes > 0) {
            assertRefused(
                    () -> new Matrix(arena.allocate(bytes - 1, 4), type, rows, cols, stride),
                    "matrix [%d, %d] stride %d %s: got %d bytes, need %d"
                            .formatted(rows, cols, stride, type, bytes - 1, bytes));
        }
    }

    @Test
    void extentsThatMakeNoMatrixAreRefused() {
        MemorySegment data = arena.allocate(64, 4);
        String need = ", need extents >= 0 and stride >= columns";
        assertRefused(() -> new Matrix(data, DataType.F32, -1, 2, 2), "matrix: got [-1, 2] stride 2" + need);
        assertRefused(() -> new Matrix(data, DataType.F32, 2, -2, 2), "matrix: got [2, -2] stride 2" + need);
        assertRefused(() -> new Matrix(data, DataType.F32, 2, 3, 2), "matrix: got [2, 3] stride 2" + need);
        assertThatThrownBy(() -> new Matrix(data, DataType.F32, Integer.MAX_VALUE, 1, Long.MAX_VALUE / 2))
                .isInstanceOf(ArithmeticException.class);
    }

    @Test
    void anElementThatIsNotAlignedIsRefused() {
        MemorySegment data = arena.allocate(64, 64);
        assertThat(new Matrix(data.asSlice(2), DataType.BF16, 2, 2, 2).cols()).isEqualTo(2);
        assertThatThrownBy(() -> new Matrix(data.asSlice(2), DataType.F32, 2, 2, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("matrix: address %#x, need a multiple of 4 for F32".formatted(data.address() + 2));
        assertThatThrownBy(() -> new Matrix(data.asSlice(1), DataType.F16, 2, 2, 2))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageEndingWith("need a multiple of 2 for F16");
    }

    @Test
    void viewsShareTheData() {
        Matrix matrix = numbered(4, 6, 9);
        assertThat(at(matrix.row(2), 0, 3)).isEqualTo(203);
        assertThat(at(matrix.rows(1, 3), 2, 5)).isEqualTo(305);
        Matrix corner = matrix.rows(2, 2).cols(4, 2);
        assertThat(at(corner, 1, 1)).isEqualTo(305);
        assertThat(corner.stride()).isEqualTo(9);
        corner.data().setAtIndex(ValueLayout.JAVA_FLOAT, 0, 7);
        assertThat(at(matrix, 2, 4)).isEqualTo(7);
        assertThat(matrix.rows(0, 4)).isSameAs(matrix);
        assertThat(matrix.cols(0, 6)).isSameAs(matrix);
        assertThat(matrix.rows(4, 0).rows()).isZero();
        assertThat(matrix.cols(6, 0).cols()).isZero();
        assertThat(matrix.elementBytes()).isEqualTo(96);
        assertThat(matrix.shape()).isEqualTo("F32 [4, 6]");
    }

    @ParameterizedTest
    @CsvSource({"-1, 2", "0, 5", "4, 1", "3, 2", "1, -1", "2147483647, 2147483647"})
    void aViewBeyondTheMatrixIsRefused(int from, int count) {
        Matrix matrix = numbered(4, 4, 4);
        String range = "%d to %d, need within 0 to 4".formatted(from, (long) from + count);
        assertRefused(() -> matrix.rows(from, count), "matrix: rows " + range);
        assertRefused(() -> matrix.cols(from, count), "matrix: columns " + range);
    }

    @Test
    void headsOfAMatrixAreItsColumns() {
        Heads heads = Heads.of(numbered(4, 6, 9), 2);
        assertThat(heads.heads()).isEqualTo(3);
        Matrix head = heads.head(2, 1, 3);
        assertThat(head.rows()).isEqualTo(3);
        assertThat(at(head, 0, 1)).isEqualTo(105);
        assertThat(at(head, 2, 0)).isEqualTo(304);
        assertThat(at(heads.rows(2, 2).head(0, 1, 1), 0, 1)).isEqualTo(301);
        assertThat(heads.rows(0, 4)).isSameAs(heads);
        assertThat(heads.rows(4, 0).rows()).isZero();
        assertRefused(
                () -> Heads.of(numbered(4, 6, 9), 4), "heads: got F32 [4, 6], need F32 with a multiple of 4 columns");
        assertRefused(
                () -> Heads.of(numbered(4, 6, 9), 0), "heads: got F32 [4, 6], need F32 with a multiple of 0 columns");
        Matrix narrow = Matrix.allocate(arena, DataType.BF16, 2, 4);
        assertRefused(() -> Heads.of(narrow, 2), "heads: got BF16 [2, 4], need F32 with a multiple of 2 columns");
    }

    @ParameterizedTest
    @CsvSource({
        // rows, heads, headDim, row stride, head stride, bytes
        "5, 2, 4, 4, 20, 160",
        "5, 2, 4, 8, 4, 160",
        "5, 2, 4, 9, 4, 176",
        "0, 2, 4, 4, 4, 0",
        "5, 0, 4, 4, 4, 0"
    })
    void headsNeedTheBytesUpToTheirLastElement(
            int rows, int heads, int headDim, long rowStride, long headStride, long bytes) {
        assertThat(new Heads(arena.allocate(bytes, 4), rows, heads, headDim, rowStride, headStride).heads())
                .isEqualTo(heads);
        if (bytes > 0) {
            assertRefused(
                    () -> new Heads(arena.allocate(bytes - 4, 4), rows, heads, headDim, rowStride, headStride),
                    "heads [%d, %d, %d] strides %d and %d: got %d bytes, need %d"
                            .formatted(rows, heads, headDim, rowStride, headStride, bytes - 4, bytes));
        }
    }

    @Test
    void extentsThatMakeNoHeadsAreRefused() {
        MemorySegment data = arena.allocate(256, 64);
        String need = ", need extents and strides >= 0 and a head dimension > 0";
        assertRefused(() -> new Heads(data, -1, 1, 1, 1, 1), "heads: got [-1, 1, 1] strides 1 and 1" + need);
        assertRefused(() -> new Heads(data, 1, -1, 1, 1, 1), "heads: got [1, -1, 1] strides 1 and 1" + need);
        assertRefused(() -> new Heads(data, 1, 1, 0, 1, 1), "heads: got [1, 1, 0] strides 1 and 1" + need);
        assertRefused(() -> new Heads(data, 2, 1, 1, -1, 1), "heads: got [2, 1, 1] strides -1 and 1" + need);
        assertRefused(() -> new Heads(data, 1, 2, 1, 1, -1), "heads: got [1, 2, 1] strides 1 and -1" + need);
        assertThatThrownBy(() -> new Heads(data, 3, 1, 1, Long.MAX_VALUE / 2, 1))
                .isInstanceOf(ArithmeticException.class);
        assertRefused(
                () -> new Heads(data.asSlice(1), 1, 1, 1, 1, 1),
                "heads: address %#x, need a multiple of 4".formatted(data.address() + 1));
    }

    @ParameterizedTest
    @CsvSource({"0, -1, 1", "0, 0, 5", "0, 4, 1", "2, 0, 1", "-1, 0, 1", "0, 1, -1"})
    void headsBeyondTheHeadsAreRefused(int head, int from, int count) {
        Heads heads = Heads.of(numbered(4, 6, 6), 3);
        assertRefused(
                () -> heads.head(head, from, count),
                "heads: head %d rows %d to %d, need within [2, 4]".formatted(head, from, from + count));
        if (head == 0) {
            assertRefused(
                    () -> heads.rows(from, count),
                    "heads: rows %d to %d, need within 0 to 4".formatted(from, from + count));
        }
    }

    @Test
    void aProjectionAddsUpItsParts() {
        Projection projection = new Projection(arena, List.of(numbered(4, 6, 6), numbered(1, 6, 6), numbered(7, 6, 6)));
        assertThat(projection.rows()).isEqualTo(12);
        assertThat(projection.cols()).isEqualTo(6);
        assertThat(projection.first().format()).isEqualTo("F32");
        for (int i = 0; i < 3; i++) {
            Matrix part = (Matrix) projection.parts().get(i);
            assertThat(projection
                            .partPointers()
                            .getAtIndex(ValueLayout.ADDRESS, i)
                            .address())
                    .isEqualTo(part.data().address());
            assertThat(projection.partRows().getAtIndex(ValueLayout.JAVA_LONG, i))
                    .isEqualTo(part.rows());
        }
    }

    @Test
    void partsThatCannotBeStreamedTogetherAreRefused() {
        Matrix first = numbered(2, 6, 6);
        assertRefused(() -> new Projection(arena, List.of()), "projection: got no matrix, need at least one");
        String need = " beside F32 [2, 6], need the same type and columns";
        assertRefused(
                () -> new Projection(arena, List.of(first, numbered(2, 5, 6))), "projection: got F32 [2, 5]" + need);
        assertRefused(
                () -> new Projection(arena, List.of(first, Matrix.allocate(arena, DataType.F16, 2, 6))),
                "projection: got F16 [2, 6]" + need);
        assertThatThrownBy(() -> new Projection(arena, List.of(first, numbered(3, 6, 7))))
                .isInstanceOf(IllegalArgumentException.class);
    }

    /// Element (r, c) is 100 r + c.
    private Matrix numbered(int rows, int cols, long stride) {
        Matrix matrix =
                new Matrix(arena.allocate(((rows - 1) * stride + cols) * 4, 64), DataType.F32, rows, cols, stride);
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < cols; c++) {
                Operands.set(matrix, r, c, 100 * r + c);
            }
        }
        return matrix;
    }

    private static double at(Matrix matrix, int row, int col) {
        return ReferenceKernels.get(matrix, row, col);
    }

    private static void assertRefused(Runnable call, String message) {
        assertThatThrownBy(call::run)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }
}
