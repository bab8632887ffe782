package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Attention of one position over a cache that comes from memory; bytes of the keys and values. Compare with
/// `CeilingsBench.read`.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class AttendBench {
    @Param
    public GemmaShape shape;

    @Param({"512", "4096", "32768"})
    public int positions;

    @Param({"0", "50"})
    public float softcap;

    private Rotation<Heads> caches;
    private Matrix query;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        int headDim = GemmaShape.HEAD_DIM;
        long bytes = (long) positions * shape.kvHeads * headDim * Float.BYTES;
        caches = new Rotation<>(
                team.arena,
                bytes,
                data -> new Heads(data, positions, shape.kvHeads, headDim, headDim, (long) positions * headDim));
        query = Rotation.activations(team.arena, 1, shape.heads * headDim);
        out = Matrix.allocate(team.arena, 1, shape.heads * headDim);
    }

    @Benchmark
    public void attend(Team team, Bytes bytes) {
        team.kernels.attend(query, caches.next(), caches.next(), positions / 2, positions, softcap, out);
        bytes.add(2L * positions * shape.kvHeads * GemmaShape.HEAD_DIM * Float.BYTES);
    }
}
