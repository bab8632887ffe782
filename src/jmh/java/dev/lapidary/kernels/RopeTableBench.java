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

/// Cosines and sines of a chunk of positions; bytes written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class RopeTableBench {
    @Param({"1", "512"})
    public int rows;

    private MemorySegment frequencies;
    private MemorySegment positions;
    private Matrix cos;
    private Matrix sin;

    @Setup
    public void setUp(Team team) {
        int half = GemmaShape.HEAD_DIM / 2;
        frequencies = team.arena.allocateFrom(
                ValueLayout.JAVA_DOUBLE,
                IntStream.range(0, half)
                        .mapToDouble(i -> Math.pow(1e6, -i / (double) half))
                        .toArray());
        positions = team.arena.allocateFrom(
                ValueLayout.JAVA_INT, IntStream.range(4000, 4000 + rows).toArray());
        cos = Matrix.allocate(team.arena, rows, half);
        sin = Matrix.allocate(team.arena, rows, half);
    }

    @Benchmark
    public void ropeTable(Team team, Bytes bytes) {
        team.kernels.ropeTable(frequencies, positions, cos, sin);
        bytes.add(2 * cos.elementBytes());
    }
}
