package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// A backend's two products in the attention of a block of 128 queries of one head.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AttentionGemmBench {
    @Param({"512", "4096"})
    public int positions;

    private static final int QUERIES = 128;

    private Matrix queries;
    private Matrix keys;
    private Matrix scores;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        queries = Rotation.activations(team.arena, QUERIES, GemmaShape.HEAD_DIM);
        keys = Rotation.activations(team.arena, positions, GemmaShape.HEAD_DIM);
        scores = Rotation.activations(team.arena, QUERIES, positions);
        out = Matrix.allocate(team.arena, QUERIES, GemmaShape.HEAD_DIM);
    }

    @Benchmark
    public void queriesTimesKeys(Team team, Flops flops) {
        team.kernels.matmulTransposed(queries, keys, scores);
        flops.add(QUERIES, positions, GemmaShape.HEAD_DIM);
    }

    @Benchmark
    public void probabilitiesTimesValues(Team team, Flops flops) {
        team.kernels.matmul(scores, keys, out);
        flops.add(QUERIES, GemmaShape.HEAD_DIM, positions);
    }
}
