package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Other kernels, and how long each of their operations takes.
public final class TimedKernels implements Kernels {
    private final Kernels kernels;
    private final Timing embed = new Timing("embed");
    private final Timing rmsNorm = new Timing("rmsNorm");
    private final Timing rmsNormAdd = new Timing("rmsNormAdd");
    private final Timing add = new Timing("add");
    private final Timing layerNorm = new Timing("layerNorm");
    private final Timing addBias = new Timing("addBias");
    private final Timing biasGelu = new Timing("biasGelu");
    private final Timing ropeTable = new Timing("ropeTable");
    private final Timing headNormRope = new Timing("headNormRope");
    private final Timing project = new Timing("project");
    private final Timing geglu = new Timing("geglu");
    private final Timing feedForward = new Timing("feedForward");
    private final Timing causalConv = new Timing("causalConv");
    private final Timing blockDiagonal = new Timing("blockDiagonal");
    private final Timing rgLru = new Timing("rgLru");
    private final Timing attend = new Timing("attend");
    private final Timing attendRows = new Timing("attendRows");
    private final Timing matmulTransposed = new Timing("matmulTransposed");
    private final Timing matmul = new Timing("matmul");
    private final Timing softcapSoftmax = new Timing("softcapSoftmax");
    private final Timing softcap = new Timing("softcap");
    private final List<Timing> timings = List.of(
            embed,
            rmsNorm,
            rmsNormAdd,
            add,
            layerNorm,
            addBias,
            biasGelu,
            ropeTable,
            headNormRope,
            project,
            geglu,
            feedForward,
            causalConv,
            blockDiagonal,
            rgLru,
            attend,
            attendRows,
            matmulTransposed,
            matmul,
            softcapSoftmax,
            softcap);

    /// Times `kernels`.
    public TimedKernels(Kernels kernels) {
        this.kernels = kernels;
    }

    /// What was called since the last [#reset], in the order of [Kernels].
    public List<OperationTime> times() {
        return timings.stream()
                .filter(timing -> timing.calls > 0)
                .map(timing -> new OperationTime(timing.operation, timing.calls, timing.nanos))
                .toList();
    }

    /// Begins again.
    public void reset() {
        timings.forEach(Timing::reset);
    }

    @Override
    public void prepare() {
        kernels.prepare();
    }

    @Override
    public void embed(WeightMatrix table, MemorySegment ids, float scale, Matrix out) {
        long start = System.nanoTime();
        kernels.embed(table, ids, scale, out);
        embed.add(start);
    }

    @Override
    public void rmsNorm(Matrix in, Matrix weight, float epsilon, Matrix out) {
        long start = System.nanoTime();
        kernels.rmsNorm(in, weight, epsilon, out);
        rmsNorm.add(start);
    }

    @Override
    public void rmsNormAdd(Matrix in, Matrix weight, float epsilon, Matrix residual) {
        long start = System.nanoTime();
        kernels.rmsNormAdd(in, weight, epsilon, residual);
        rmsNormAdd.add(start);
    }

    @Override
    public void add(Matrix in, Matrix out) {
        long start = System.nanoTime();
        kernels.add(in, out);
        add.add(start);
    }

    @Override
    public void layerNorm(Matrix in, Matrix weight, Matrix bias, float epsilon, Matrix out) {
        long start = System.nanoTime();
        kernels.layerNorm(in, weight, bias, epsilon, out);
        layerNorm.add(start);
    }

    @Override
    public void addBias(Matrix bias, Matrix x) {
        long start = System.nanoTime();
        kernels.addBias(bias, x);
        addBias.add(start);
    }

    @Override
    public void biasGelu(Matrix bias, Matrix x) {
        long start = System.nanoTime();
        kernels.biasGelu(bias, x);
        biasGelu.add(start);
    }

    @Override
    public void ropeTable(MemorySegment inverseFrequencies, MemorySegment positions, Matrix cos, Matrix sin) {
        long start = System.nanoTime();
        kernels.ropeTable(inverseFrequencies, positions, cos, sin);
        ropeTable.add(start);
    }

    @Override
    public void headNormRope(
            Heads in,
            int row,
            int count,
            @Nullable Matrix norm,
            float epsilon,
            @Nullable RopeTable rope,
            float scale,
            Heads out,
            int outRow) {
        long start = System.nanoTime();
        kernels.headNormRope(in, row, count, norm, epsilon, rope, scale, out, outRow);
        headNormRope.add(start);
    }

    @Override
    public void project(Matrix in, Projection weights, Matrix out) {
        long start = System.nanoTime();
        kernels.project(in, weights, out);
        project.add(start);
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, WeightMatrix up, Matrix out) {
        long start = System.nanoTime();
        kernels.geglu(in, gate, up, out);
        geglu.add(start);
    }

    @Override
    public void geglu(Matrix in, WeightMatrix gate, Matrix gateBias, WeightMatrix up, Matrix upBias, Matrix out) {
        long start = System.nanoTime();
        kernels.geglu(in, gate, gateBias, up, upBias, out);
        geglu.add(start);
    }

    @Override
    public void feedForward(Matrix in, WeightMatrix gate, WeightMatrix up, Projection down, Matrix gated, Matrix out) {
        long start = System.nanoTime();
        kernels.feedForward(in, gate, up, down, gated, out);
        feedForward.add(start);
    }

    @Override
    public void causalConv(
            Matrix in, int row, int count, Matrix taps, Matrix bias, @Nullable Matrix state, Matrix next, Matrix out) {
        long start = System.nanoTime();
        kernels.causalConv(in, row, count, taps, bias, state, next, out);
        causalConv.add(start);
    }

    @Override
    public void blockDiagonal(Matrix in, Matrix weights, Matrix bias, Matrix out) {
        long start = System.nanoTime();
        kernels.blockDiagonal(in, weights, bias, out);
        blockDiagonal.add(start);
    }

    @Override
    public void rgLru(
            Matrix in,
            Matrix inputGate,
            Matrix recurrenceGate,
            Matrix branch,
            int row,
            int count,
            Matrix rate,
            @Nullable Matrix state,
            Matrix next,
            Matrix out) {
        long start = System.nanoTime();
        kernels.rgLru(in, inputGate, recurrenceGate, branch, row, count, rate, state, next, out);
        rgLru.add(start);
    }

    @Override
    public void attend(Matrix query, Heads keys, Heads values, int firstSlot, int count, float softcap, Matrix out) {
        long start = System.nanoTime();
        kernels.attend(query, keys, values, firstSlot, count, softcap, out);
        attend.add(start);
    }

    @Override
    public boolean attendRows(
            Heads query,
            Heads keys,
            Heads values,
            int firstSlot,
            int count,
            MemorySegment begin,
            MemorySegment end,
            float softcap,
            Heads out) {
        long start = System.nanoTime();
        boolean done = kernels.attendRows(query, keys, values, firstSlot, count, begin, end, softcap, out);
        if (done) {
            attendRows.add(start);
        }
        return done;
    }

    @Override
    public void matmulTransposed(Matrix left, Matrix right, Matrix out) {
        long start = System.nanoTime();
        kernels.matmulTransposed(left, right, out);
        matmulTransposed.add(start);
    }

    @Override
    public void matmul(Matrix left, Matrix right, Matrix out) {
        long start = System.nanoTime();
        kernels.matmul(left, right, out);
        matmul.add(start);
    }

    @Override
    public void softcapSoftmax(Matrix scores, MemorySegment begin, MemorySegment end, float softcap) {
        long start = System.nanoTime();
        kernels.softcapSoftmax(scores, begin, end, softcap);
        softcapSoftmax.add(start);
    }

    @Override
    public void softcap(Matrix x, float cap) {
        long start = System.nanoTime();
        kernels.softcap(x, cap);
        softcap.add(start);
    }

    /// How long one operation took.
    ///
    /// @param operation its method in [Kernels]
    /// @param calls     how often it was called
    /// @param nanos     nanoseconds of all calls together
    public record OperationTime(String operation, long calls, long nanos) {}

    /// Calls and nanoseconds of one operation so far.
    private static final class Timing {
        private final String operation;
        private long calls;
        private long nanos;

        Timing(String operation) {
            this.operation = operation;
        }

        void add(long start) {
            nanos += System.nanoTime() - start;
            calls++;
        }

        void reset() {
            calls = 0;
            nanos = 0;
        }
    }
}
