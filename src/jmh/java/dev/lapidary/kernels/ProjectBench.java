package dev.lapidary.kernels;

import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// A few rows times weights that come from memory, streamed once for all rows; bytes of the weights. This is decoding:
/// compare with `CeilingsBench.read`.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ProjectBench {
    @Param
    public GemmaShape shape;

    @Param
    public GemmaShape.Weight weight;

    @Param("BF16")
    public DataType type;

    @Param({"1", "8"})
    public int rows;

    private Rotation<Projection> weights;
    private Matrix in;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        int outputs = weight.rows(shape);
        int inputs = weight.cols(shape);
        weights = new Rotation<>(
                team.arena,
                (long) outputs * inputs * type.bytes(),
                data -> new Projection(team.arena, List.of(Matrix.dense(data, type, outputs, inputs))));
        in = Rotation.activations(team.arena, rows, inputs);
        out = Matrix.allocate(team.arena, rows, outputs);
    }

    @Benchmark
    public void project(Team team, Bytes bytes) {
        Projection streamed = weights.next();
        team.kernels.project(in, streamed, out);
        bytes.add(streamed.parts().getFirst().elementBytes());
    }
}
