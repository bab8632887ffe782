package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// The gated activation of a few rows, gate and up streamed in one pass; bytes of the weights. Compare with
/// `CeilingsBench.read`.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class GegluBench {
    @Param
    public GemmaShape shape;

    @Param("BF16")
    public DataType type;

    @Param({"1", "8"})
    public int rows;

    private Rotation<Matrix> weights;
    private Matrix in;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        weights = Rotation.matrices(team.arena, type, shape.neurons, shape.embedding);
        in = Rotation.activations(team.arena, rows, shape.embedding);
        out = Matrix.allocate(team.arena, rows, shape.neurons);
    }

    @Benchmark
    public void geglu(Team team, Bytes bytes) {
        Matrix gate = weights.next();
        team.kernels.geglu(in, gate, weights.next(), out);
        bytes.add(2 * gate.elementBytes());
    }
}
