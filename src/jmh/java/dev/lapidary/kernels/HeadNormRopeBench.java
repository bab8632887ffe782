package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Norm, rotation and scale of the queries; bytes read and written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class HeadNormRopeBench {
    @Param
    public GemmaShape shape;

    @Param({"1", "512"})
    public int rows;

    private Heads queries;
    private Matrix weight;
    private Kernels.RopeTable rope;

    @Setup
    public void setUp(Team team) {
        Matrix columns = Rotation.activations(team.arena, rows, shape.heads * GemmaShape.HEAD_DIM);
        queries = Heads.of(columns, GemmaShape.HEAD_DIM);
        weight = Rotation.activations(team.arena, 1, GemmaShape.HEAD_DIM);
        rope = new Kernels.RopeTable(
                Rotation.activations(team.arena, rows, GemmaShape.HEAD_DIM / 2),
                Rotation.activations(team.arena, rows, GemmaShape.HEAD_DIM / 2));
    }

    @Benchmark
    public void headNormRope(Team team, Bytes bytes) {
        team.kernels.headNormRope(queries, weight, 1e-6f, rope, 0.0625f, queries);
        bytes.add(2L * rows * shape.heads * GemmaShape.HEAD_DIM * Float.BYTES);
    }
}
