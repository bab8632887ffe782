package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// A backend's product of a chunk of rows with weights as they are mapped. Compare with `CeilingsBench.gemm` of the
/// same type.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class GemmBench {
    @Param
    public GemmaShape shape;

    @Param({"QUERY_KEY_VALUE", "OUTPUT", "GATE", "DOWN"})
    public GemmaShape.Weight weight;

    @Param({"BF16", "F32"})
    public DataType type;

    @Param({"16", "128", "512"})
    public int rows;

    private Rotation<Matrix> weights;
    private Matrix in;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        int inputs = weight.cols(shape);
        weights = Rotation.matrices(team.arena, type, weight.rows(shape), inputs);
        in = Matrix.dense(Rotation.random(team.arena, (long) rows * inputs * type.bytes()), type, rows, inputs);
        out = Matrix.allocate(team.arena, rows, weight.rows(shape));
    }

    @Benchmark
    public void matmulTransposed(Team team, Flops flops) {
        team.matmul.matmulTransposed(in, weights.next(), out);
        flops.add(rows, out.cols(), in.cols());
    }
}
