package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// The residual add; bytes read and written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AddBench {
    @Param
    public GemmaShape shape;

    @Param({"1", "512"})
    public int rows;

    private Matrix in;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        in = Rotation.activations(team.arena, rows, shape.embedding);
        out = Matrix.allocate(team.arena, rows, shape.embedding);
    }

    @Benchmark
    public void add(Team team, Bytes bytes) {
        team.kernels.add(in, out);
        bytes.add(3 * in.elementBytes());
    }
}
