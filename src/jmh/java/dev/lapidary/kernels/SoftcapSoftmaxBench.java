package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// The softmax of a block of 128 queries, causal; bytes read and written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SoftcapSoftmaxBench {
    @Param({"512", "4096"})
    public int keys;

    @Param({"0", "50"})
    public float softcap;

    private static final int QUERIES = 128;

    private Matrix scores;
    private MemorySegment begin;
    private MemorySegment end;

    @Setup
    public void setUp(Team team) {
        scores = Rotation.activations(team.arena, QUERIES, keys);
        begin = team.arena.allocateFrom(ValueLayout.JAVA_INT, new int[QUERIES]);
        int first = keys - QUERIES + 1;
        end = team.arena.allocateFrom(
                ValueLayout.JAVA_INT, IntStream.range(first, first + QUERIES).toArray());
    }

    @Benchmark
    public void softcapSoftmax(Team team, Bytes bytes) {
        team.kernels.softcapSoftmax(scores, begin, end, softcap);
        bytes.add(2 * scores.elementBytes());
    }
}
