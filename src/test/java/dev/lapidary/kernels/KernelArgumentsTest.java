package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.kernels.Kernels.RopeTable;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// An argument that does not fit is refused by name, before native code could read or write beyond it: outputs that are
/// still zeros show that nothing was computed.
class KernelArgumentsTest {
    private final Arena arena = Arena.ofShared();
    private NativeKernels kernels;

    @BeforeEach
    void open() {
        kernels = DriverThread.call(() -> new NativeKernels(Backends.open(Backends.DEFAULT), 2, false));
    }

    @AfterEach
    void close() {
        kernels.close();
        arena.close();
    }

    @Test
    void aTeamHasAtLeastOneThread() {
        Backend backend = DriverThread.call(() -> Backends.open(Backends.DEFAULT));
        assertThatThrownBy(() -> new NativeKernels(backend, 0, false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("threads: got 0, need at least 1");
    }

    @Test
    void embed() {
        Matrix table = narrow(10, 4);
        refuse(out -> kernels.embed(table, ints(0, 1, 10), 1, out), f32(3, 4), "ids[2]: got 10, need 0 to 9");
        refuse(out -> kernels.embed(table, ints(-1, 1, 2), 1, out), f32(3, 4), "ids[0]: got -1, need 0 to 9");
        refuse(out -> kernels.embed(table, ints(0, 1), 1, out), f32(3, 4), "ids: got 8 bytes, need 12");
        refuse(out -> kernels.embed(table, ints(0), 1, out), f32(1, 5), "out: got F32 [1, 5], need [1, 4]");
        refuse(out -> kernels.embed(table, ints(0), 1, out), narrow(1, 4), "out: got BF16 [1, 4], need F32");
    }

    @Test
    void norms() {
        Matrix in = f32(3, 4);
        Matrix weight = f32(1, 4);
        refuse(out -> kernels.rmsNorm(narrow(3, 4), weight, 0, out), f32(3, 4), "in: got BF16 [3, 4], need F32");
        refuse(out -> kernels.rmsNorm(in, f32(1, 3), 0, out), f32(3, 4), "weight: got F32 [1, 3], need [1, 4]");
        refuse(out -> kernels.rmsNorm(in, f32(4, 1), 0, out), f32(3, 4), "weight: got F32 [4, 1], need [1, 4]");
        refuse(out -> kernels.rmsNorm(in, narrow(1, 4), 0, out), f32(3, 4), "weight: got BF16 [1, 4], need F32");
        refuse(out -> kernels.rmsNorm(in, weight, 0, out), f32(2, 4), "out: got F32 [2, 4], need [3, 4]");
        refuse(out -> kernels.rmsNorm(in, weight, 0, out), narrow(3, 4), "out: got BF16 [3, 4], need F32");
        refuse(out -> kernels.rmsNormAdd(narrow(3, 4), weight, 0, out), f32(3, 4), "in: got BF16 [3, 4], need F32");
        refuse(out -> kernels.rmsNormAdd(in, f32(1, 5), 0, out), f32(3, 4), "weight: got F32 [1, 5], need [1, 4]");
        refuse(out -> kernels.rmsNormAdd(in, weight, 0, out), f32(3, 5), "residual: got F32 [3, 5], need [3, 4]");
    }

    @Test
    void layerNorm() {
        Matrix in = f32(3, 4);
        Matrix row = f32(1, 4);
        refuse(out -> kernels.layerNorm(narrow(3, 4), row, row, 0, out), f32(3, 4), "in: got BF16 [3, 4], need F32");
        refuse(out -> kernels.layerNorm(in, f32(1, 3), row, 0, out), f32(3, 4), "weight: got F32 [1, 3], need [1, 4]");
        refuse(out -> kernels.layerNorm(in, row, f32(2, 4), 0, out), f32(3, 4), "bias: got F32 [2, 4], need [1, 4]");
        refuse(out -> kernels.layerNorm(in, row, row, 0, out), f32(3, 5), "out: got F32 [3, 5], need [3, 4]");
    }

    @Test
    void scaledRows() {
        Matrix in = f32(3, 4);
        MemorySegment factors = arena.allocate(ValueLayout.JAVA_FLOAT, 3);
        refuse(x -> kernels.scale(2, x), narrow(3, 4), "x: got BF16 [3, 4], need F32");
        refuse(out -> kernels.addScaledRows(in, ints(0, 1, 5), factors, out), f32(5, 4), "ids[2]: got 5, need 0 to 4");
        refuse(out -> kernels.addScaledRows(in, ints(0, 1), factors, out), f32(5, 4), "ids: got 8 bytes, need 12");
        refuse(
                out -> kernels.addScaledRows(in, ints(0, 1, 2), factors.asSlice(4), out),
                f32(5, 4),
                "factors: got 8 bytes, need 12");
        refuse(
                out -> kernels.addScaledRows(in, ints(0, 1, 2), factors, out),
                f32(5, 5),
                "out: got F32 [5, 5], need [5, 4]");
        refuse(
                out -> kernels.addScaledRows(narrow(3, 4), ints(0, 1, 2), factors, out),
                f32(5, 4),
                "in: got BF16 [3, 4], need F32");
    }

    @Test
    void streams() {
        Matrix in = f32(3, 4);
        refuse(out -> kernels.multiply(in, f32(1, 5), out), f32(3, 4), "weight: got F32 [1, 5], need [1, 4]");
        refuse(out -> kernels.multiply(in, f32(1, 4), out), f32(2, 4), "out: got F32 [2, 4], need [3, 4]");
        refuse(x -> kernels.matchMagnitude(f32(3, 5), x), f32(3, 4), "like: got F32 [3, 5], need [3, 4]");
        refuse(x -> kernels.matchMagnitude(in, x), narrow(3, 4), "x: got BF16 [3, 4], need F32");
        refuse(
                out -> kernels.sparseGeglu(in, f32(6, 4), f32(5, 4), 1, out),
                f32(3, 6),
                "up: got F32 [5, 4], need [6, 4]");
        refuse(
                out -> kernels.sparseGeglu(in, f32(6, 4), f32(6, 4), 1, out),
                f32(3, 5),
                "out: got F32 [3, 5], need [3, 6]");
    }

    @Test
    void productsGated() {
        refuse(gate -> kernels.geglu(gate, f32(3, 5)), f32(3, 4), "up: got F32 [3, 5], need [3, 4]");
        refuse(gate -> kernels.geglu(gate, f32(3, 4)), narrow(3, 4), "gate: got BF16 [3, 4], need F32");
    }

    @Test
    void biases() {
        refuse(x -> kernels.addBias(f32(1, 4), x), narrow(3, 4), "x: got BF16 [3, 4], need F32");
        refuse(x -> kernels.addBias(f32(1, 5), x), f32(3, 4), "bias: got F32 [1, 5], need [1, 4]");
        refuse(x -> kernels.biasGelu(narrow(1, 4), x), f32(3, 4), "bias: got BF16 [1, 4], need F32");
        refuse(x -> kernels.biasGelu(f32(1, 3), x), f32(3, 4), "bias: got F32 [1, 3], need [1, 4]");
    }

    @Test
    void elementwise() {
        refuse(out -> kernels.add(f32(3, 4), out), f32(3, 3), "out: got F32 [3, 3], need [3, 4]");
        refuse(out -> kernels.add(narrow(3, 4), out), f32(3, 4), "in: got BF16 [3, 4], need F32");
        refuse(out -> kernels.softcap(out, 30), narrow(3, 4), "x: got BF16 [3, 4], need F32");
    }

    @Test
    void ropeTable() {
        MemorySegment frequencies = arena.allocate(32, 8);
        refuse(
                out -> kernels.ropeTable(frequencies, ints(0, 1, 2), out, f32(3, 3)),
                f32(3, 4),
                "sin: got F32 [3, 3], need [3, 4]");
        refuse(
                out -> kernels.ropeTable(frequencies.asSlice(8), ints(0, 1, 2), out, f32(3, 4)),
                f32(3, 4),
                "inverseFrequencies: got 24 bytes, need 32");
        refuse(
                out -> kernels.ropeTable(frequencies, ints(0, 1), out, f32(3, 4)),
                f32(3, 4),
                "positions: got 8 bytes, need 12");
        refuse(
                out -> kernels.ropeTable(frequencies, ints(0, 1, 2), out, f32(3, 4)),
                f32(3, 6).cols(0, 4),
                "cos: got stride 6, need 4");
        refuse(
                out -> kernels.ropeTable(
                        frequencies, ints(0, 1, 2), out, f32(3, 6).cols(0, 4)),
                f32(3, 4),
                "sin: got stride 6, need 4");
    }

    @Test
    void headNormRope() {
        Heads in = Heads.of(f32(3, 8), 4);
        RopeTable rope = new RopeTable(f32(3, 2), f32(3, 2));
        refuseHeads(in, null, rope, Heads.of(f32(3, 8), 8), "out: got [3, 1, 8], need [3, 2, 4]");
        refuseHeads(in, null, rope, Heads.of(f32(2, 8), 4), "out: got [2, 2, 4], need [3, 2, 4]");
        Heads out = Heads.of(f32(3, 8), 4);
        refuseHeads(in, f32(1, 8), rope, out, "norm: got F32 [1, 8], need [1, 4]");
        refuseHeads(in, narrow(1, 4), rope, out, "norm: got BF16 [1, 4], need F32");
        refuseHeads(in, null, new RopeTable(f32(3, 3), f32(3, 3)), out, "rope: got 6 rotated dims, need at most 4");
        refuseHeads(in, null, new RopeTable(f32(2, 2), f32(3, 2)), out, "rope.cos: got F32 [2, 2], need [3, 2]");
        refuseHeads(in, null, new RopeTable(f32(3, 2), f32(3, 1)), out, "rope.sin: got F32 [3, 1], need [3, 2]");
        refuseHeads(in, null, new RopeTable(f32(3, 5).cols(0, 2), f32(3, 2)), out, "rope.cos: got stride 5, need 2");
    }

    private void refuseHeads(Heads in, Matrix norm, RopeTable rope, Heads out, String message) {
        assertThatThrownBy(() -> kernels.headNormRope(in, norm, 0, rope, 1, out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
    }

    @ParameterizedTest
    @CsvSource({"1", "9"})
    void products(int rows) {
        Projection weights = new Projection(arena, List.of(narrow(5, 4), narrow(2, 4)));
        String seq = Integer.toString(rows);
        refuse(
                out -> kernels.project(f32(rows, 3), weights, out),
                f32(rows, 7),
                "in: got F32 [%s, 3], need [%s, 4]".formatted(seq, seq));
        refuse(
                out -> kernels.project(narrow(rows, 4), weights, out),
                f32(rows, 7),
                "in: got BF16 [%s, 4], need F32".formatted(seq));
        refuse(
                out -> kernels.project(f32(rows, 4), weights, out),
                f32(rows, 5),
                "out: got F32 [%s, 5], need [%s, 7]".formatted(seq, seq));
        refuse(
                out -> kernels.project(f32(rows, 4), weights, out),
                f32(rows + 1, 7),
                "out: got F32 [%d, 7], need [%s, 7]".formatted(rows + 1, seq));
    }

    @ParameterizedTest
    @CsvSource({"1", "9"})
    void geglu(int rows) {
        Matrix in = f32(rows, 4);
        Matrix gate = narrow(5, 4);
        Matrix up = narrow(5, 4);
        refuse(
                out -> kernels.geglu(f32(rows, 5), gate, up, out),
                f32(rows, 5),
                "in: got F32 [%d, 5], need [%d, 4]".formatted(rows, rows));
        refuse(out -> kernels.geglu(in, gate, narrow(4, 4), out), f32(rows, 5), "up: got BF16 [4, 4], need [5, 4]");
        refuse(
                out -> kernels.geglu(in, gate, up, out),
                f32(rows, 6),
                "out: got F32 [%d, 6], need [%d, 5]".formatted(rows, rows));
    }

    @Test
    void matmul() {
        refuse(
                out -> kernels.matmulTransposed(f32(2, 3), f32(4, 5), out),
                f32(2, 4),
                "right: got F32 [4, 5], need [4, 3]");
        refuse(
                out -> kernels.matmulTransposed(f32(2, 3), f32(4, 3), out),
                f32(2, 5),
                "out: got F32 [2, 5], need [2, 4]");
        refuse(
                out -> kernels.matmulTransposed(narrow(2, 3), narrow(4, 3), out),
                f32(2, 4),
                "left: got BF16 [2, 3], need F32");
        refuse(out -> kernels.matmul(f32(2, 3), f32(4, 5), out), f32(2, 5), "right: got F32 [4, 5], need [3, 5]");
        refuse(out -> kernels.matmul(f32(2, 3), f32(3, 5), out), f32(3, 5), "out: got F32 [3, 5], need [2, 5]");
        refuse(out -> kernels.matmul(f32(2, 3), narrow(3, 5), out), f32(2, 5), "right: got BF16 [3, 5], need F32");
    }

    @ParameterizedTest
    @CsvSource({"-1, 3, '[-1, 3)'", "0, 6, '[0, 6)'", "2, 2147483647, '[2, 2147483647)'"})
    void spansOutsideTheScores(int begin, int end, String span) {
        refuse(
                scores -> kernels.softcapSoftmax(scores, ints(0, begin), ints(5, end), 0),
                f32(2, 5),
                "span of row 1: got %s, need within [0, 5)".formatted(span));
    }

    @Test
    void spansOfFewerRowsThanTheScores() {
        refuse(
                scores -> kernels.softcapSoftmax(scores, ints(0), ints(5, 5), 0),
                f32(2, 5),
                "begin: got 4 bytes, need 8");
        refuse(scores -> kernels.softcapSoftmax(scores, ints(0, 0), ints(5), 0), f32(2, 5), "end: got 4 bytes, need 8");
        refuse(
                scores -> kernels.softcapSoftmax(scores, ints(0, 0), ints(5, 5), 0),
                narrow(2, 5),
                "scores: got BF16 [2, 5], need F32");
    }

    @Test
    void attend() {
        Heads cache = cache(6, 2, 4);
        refuseAttend(
                f32(1, 12), cache, cache, 0, 3, "query: got F32 [1, 12], need one row of a multiple of 2 heads of 4");
        refuseAttend(
                f32(1, 18), cache, cache, 0, 3, "query: got F32 [1, 18], need one row of a multiple of 2 heads of 4");
        refuseAttend(narrow(1, 16), cache, cache, 0, 3, "query: got BF16 [1, 16], need F32");
        refuseAttend(f32(1, 16), cache, cache(5, 2, 4), 0, 3, "values: got [5, 2, 4], need [6, 2, 4]");
        refuseAttend(f32(1, 16), cache, cache(6, 1, 4), 0, 3, "values: got [6, 1, 4], need [6, 2, 4]");
        refuseAttend(f32(1, 16), cache, cache, 6, 3, "slots: got 3 from 6, need within a ring of 6");
        refuseAttend(f32(1, 16), cache, cache, -1, 3, "slots: got 3 from -1, need within a ring of 6");
        refuseAttend(f32(1, 16), cache, cache, 2, 7, "slots: got 7 from 2, need within a ring of 6");
        refuseAttend(f32(1, 16), cache, cache, 2, -1, "slots: got -1 from 2, need within a ring of 6");
        Heads columns = Heads.of(f32(6, 8), 4);
        refuseAttend(f32(1, 16), columns, cache, 0, 3, "keys: got strides 8 and 4, need a head's slots contiguous");
        refuseAttend(f32(1, 16), cache, columns, 0, 3, "values: got strides 8 and 4, need a head's slots contiguous");
        refuse(
                out -> kernels.attend(f32(1, 16), cache, cache, 0, 3, 0, out),
                f32(1, 8),
                "out: got F32 [1, 8], need [1, 16]");
    }

    @Test
    void attendOfSeveralRowsOrNoHeads() {
        Heads cache = cache(6, 2, 4);
        Heads none = cache(6, 0, 4);
        String need = "need one row of a multiple of ";
        refuse(
                out -> kernels.attend(f32(2, 16), cache, cache, 0, 3, 0, out),
                f32(1, 16),
                "query: got F32 [2, 16], " + need + "2 heads of 4");
        refuse(
                out -> kernels.attend(f32(1, 16), none, none, 0, 3, 0, out),
                f32(1, 16),
                "query: got F32 [1, 16], " + need + "0 heads of 4");
    }

    private void refuseAttend(Matrix query, Heads keys, Heads values, int first, int count, String message) {
        refuse(out -> kernels.attend(query, keys, values, first, count, 0, out), f32(1, query.cols()), message);
    }

    /// An operation on an output.
    @FunctionalInterface
    private interface Call {
        void on(Matrix out);
    }

    private static void refuse(Call call, Matrix out, String message) {
        assertThatThrownBy(() -> call.on(out))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage(message);
        assertThat(out.data().toArray(ValueLayout.JAVA_BYTE)).containsOnly(0);
    }

    private Matrix f32(int rows, int cols) {
        return Matrix.allocate(arena, rows, cols);
    }

    private Matrix narrow(int rows, int cols) {
        return Matrix.allocate(arena, DataType.BF16, rows, cols);
    }

    private Heads cache(int slots, int heads, int headDim) {
        MemorySegment data = f32(Math.max(1, heads) * slots, headDim).data();
        return new Heads(data, slots, heads, headDim, headDim, (long) slots * headDim);
    }

    private MemorySegment ints(int... values) {
        return arena.allocateFrom(ValueLayout.JAVA_INT, values);
    }
}
