package dev.lapidary.kernels;

import static org.assertj.core.api.Assertions.assertThat;

import dev.lapidary.TestBackends;
import dev.lapidary.bindings.shim.GemmaKernels;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One team of threads computes for the shim and for every backend, and sleeps when there is nothing to do. A thread
/// that native code starts bears the name of the thread that started it: that tells the team of one driver from all
/// else, and from the team of the test before, which may still be ending.
class ThreadTeamTest {
    private static final AtomicInteger DRIVERS = new AtomicInteger();

    private final String name = "test-team-" + DRIVERS.incrementAndGet();

    @ParameterizedTest
    @ValueSource(ints = {2, 3})
    void allBackendsComputeWithTheTeamOfTheShim(int count) throws Exception {
        inThread(() -> {
            NativeLibrary.kernels();
            GemmaKernels.gemma_set_threads(count);
            assertThat(GemmaKernels.gemma_probe_threads()).isEqualTo(count);
            Map<String, Long> team = processorNanos();
            assertThat(team).hasSize(count);
            for (String spec : TestBackends.all()) {
                if (spec.startsWith("cblas:")) {
                    continue; // may have threads of its own
                }
                Backend backend = Backends.open(spec);
                backend.threads(count);
                assertThat(backend.info().threading()).isEqualTo("the OpenMP team");
                Map<String, Long> before = processorNanos();
                multiplyFor(backend, 300);
                Map<String, Long> after = processorNanos();
                assertThat(after.keySet()).as(spec).isEqualTo(team.keySet());
                after.forEach((thread, nanos) -> assertThat(nanos - before.get(thread))
                        .as("processor time of %s for %s", thread, spec)
                        .isGreaterThan(5_000_000));
            }
            return null;
        });
    }

    @Test
    void anIdleTeamSleeps() throws Exception {
        inThread(() -> {
            Backend backend = Backends.open("onednn");
            backend.threads(2);
            multiplyFor(backend, 50);
            Thread.sleep(100);
            Map<String, Long> before = processorNanos();
            Thread.sleep(300);
            processorNanos()
                    .forEach((thread, nanos) -> assertThat(nanos - before.get(thread))
                            .as("processor time of %s", thread)
                            .isLessThan(30_000_000));
            return null;
        });
    }

    private static void multiplyFor(Backend backend, long millis) {
        try (Arena arena = Arena.ofConfined()) {
            Matrix left = Matrix.allocate(arena, 256, 512);
            Matrix right = Matrix.allocate(arena, 512, 512);
            Matrix out = Matrix.allocate(arena, 256, 512);
            long end = System.nanoTime() + millis * 1_000_000;
            while (System.nanoTime() < end) {
                backend.matmulTransposed(left, right, out);
            }
        }
    }

    private void inThread(Callable<?> work) throws Exception {
        FutureTask<?> task = new FutureTask<>(work);
        Thread.ofPlatform().name(name).start(task);
        task.get();
    }

    /// By thread, the time that it has run on a processor: the first number of `schedstat`.
    private Map<String, Long> processorNanos() throws IOException {
        Map<String, Long> nanos = new TreeMap<>();
        try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
            for (Path task : tasks.toList()) {
                if (read(task.resolve("comm")).equals(name)) {
                    String schedstat = read(task.resolve("schedstat"));
                    nanos.put(
                            task.getFileName().toString(),
                            Long.valueOf(schedstat.substring(0, schedstat.indexOf(' '))));
                }
            }
        }
        return nanos;
    }

    private static String read(Path file) throws IOException {
        return Files.exists(file) ? Files.readString(file).strip() : "";
    }
}
