package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// The cap on one position's logits; bytes read and written.
@State(Scope.Benchmark)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class SoftcapBench {
    private Matrix logits;

    @Setup
    public void setUp(Team team) {
        logits = Rotation.activations(team.arena, 1, GemmaShape.GEMMA_2_2B.vocab);
    }

    @Benchmark
    public void softcap(Team team, Bytes bytes) {
        team.kernels.softcap(logits, 30);
        bytes.add(2 * logits.elementBytes());
    }
}
