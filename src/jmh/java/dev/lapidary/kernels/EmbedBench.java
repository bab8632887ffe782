package dev.lapidary.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// Rows of the embedding table gathered and scaled; bytes of the rows read and written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class EmbedBench {
    @Param
    public GemmaShape shape;

    @Param({"1", "512"})
    public int rows;

    private static final int IDS = 1 << 16;

    private int from;
    private Matrix table;
    private MemorySegment ids;
    private Matrix out;

    @Setup
    public void setUp(Team team) {
        int vocab = Math.toIntExact((1L << 30) / shape.embedding / Short.BYTES);
        table = Matrix.dense(
                Rotation.random(team.arena, (long) vocab * shape.embedding * Short.BYTES),
                DataType.BF16,
                vocab,
                shape.embedding);
        out = Matrix.allocate(team.arena, rows, shape.embedding);
        ids = team.arena.allocateFrom(
                ValueLayout.JAVA_INT, new Random(1).ints(IDS + rows, 0, vocab).toArray());
    }

    @Benchmark
    public void embed(Team team, Bytes bytes) {
        from = (from + rows) % IDS;
        team.kernels.embed(table, ids.asSlice((long) from * Integer.BYTES), 50, out);
        bytes.add((long) rows * shape.embedding * (Short.BYTES + Float.BYTES));
    }
}
