package dev.lapidary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.lapidary.model.Cost;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchmarkTest {
    @TempDir
    private Path folder;

    @Test
    void everyPhaseRuns() throws IOException {
        try (Gemma gemma = TinyModel.open(folder);
                Benchmark benchmark = Benchmark.of(gemma)) {
            AtomicInteger runs = new AtomicInteger();
            for (Workload workload : new Workload[] {
                Workload.prefill(40), Workload.decode(30, 3), Workload.batch(3, 30, 2), Workload.batch(16, 1, 2)
            }) {
                runs.set(0);
                assertThat(benchmark.seconds(workload, 1, 3, runs::incrementAndGet))
                        .hasSize(3)
                        .doesNotContain(0);
                assertThat(runs).hasValue(4);
            }
            Cost cost = Cost.ofDecode(gemma.model(), 3, 30, 2);
            assertThat(benchmark.work(Workload.batch(3, 30, 2)))
                    .isEqualTo(new Benchmark.Work(cost.operations(), cost.bytes()));
            assertThat(benchmark.arithmetic()).isEqualTo(Arithmetic.F32); // as TinyModel's options say
            assertThat(benchmark.weightFormat()).isEqualTo("BF16");
        }
    }

    @Test
    void whatDoesNotFitIsRefused() throws IOException {
        try (Gemma gemma = TinyModel.open(folder);
                Benchmark benchmark = Benchmark.of(gemma)) {
            assertThatThrownBy(() -> benchmark.seconds(Workload.batch(17, 1, 2), 0, 1, () -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("batch of 17 at 1: got 17 sequences of 3 tokens, need at most 16 of the");
            assertThatThrownBy(() -> benchmark.seconds(Workload.prefill(1), 0, 0, () -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageStartingWith("repetitions, warmUp: got 0 and 0");
        }
        assertThatThrownBy(() -> Workload.decode(0, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void limitsAreTheBestOfSeveral() {
        MachineLimits one = new MachineLimits(1, 20, 30, "matmul", 0);
        MachineLimits other = new MachineLimits(10, 2, 40, "vdpbf16ps", 5);
        assertThat(one.max(other)).isEqualTo(new MachineLimits(10, 20, 40, "vdpbf16ps", 5));
        assertThat(one.peak(Arithmetic.F32)).isEqualTo(20);
        assertThat(one.peak(Arithmetic.BF16)).isEqualTo(30);
    }

    @Test
    void aSessionGoesOnFromTokensThatWereNotComputed() throws IOException {
        try (Gemma gemma = TinyModel.open(folder);
                Session session = gemma.newSession(Capacity.tokens(250))) {
            session.assume(new int[240]);
            assertThat(session.position()).isEqualTo(240);
            session.next(Sampling.greedy());
            assertThat(session.position()).isEqualTo(241);
            for (float logit : session.logits()) {
                assertThat(logit).isFinite();
            }
        }
    }
}
