package dev.lapidary;

import dev.lapidary.sampler.Sampler;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// One token of a sequence: through every layer, logits, the likeliest id. With `-prof gc`, what it leaves to the
/// garbage collector.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 5, time = 5)
@Measurement(iterations = 5, time = 2)
public class DecodeBench {
    private static final int CAPACITY = 1024;

    @Param("gemma-3-1b")
    public String shape;

    @Param({"BF16", "Q8_0", "Q4_0"})
    public WeightFormat weights;

    private Gemma gemma;
    private Sequence sequence;

    @Setup
    public void open() {
        gemma = Gemma.random(shape, Options.defaults().withWeights(weights));
        sequence = new Sequence(gemma.model(), null, 512, CAPACITY);
        sequence.append(2, 3, 5, 7);
    }

    @Benchmark
    public int token() {
        if (sequence.length() == CAPACITY) {
            sequence.rewind(4);
        }
        sequence.evaluate(DecodeBench::goOn, null, null);
        int id = Sampler.argmax(sequence.logits());
        sequence.append(id);
        return id;
    }

    @TearDown
    public void close() {
        sequence.close();
        gemma.close();
    }

    private static boolean goOn() {
        return false;
    }
}
