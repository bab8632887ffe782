package dev.lapidary.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;

/// What reading a small file may take of this thread, damaged or not: far more than any does, far less than a hang or
/// a count that was believed. Processor time, so that a busy machine changes nothing.
public final class Limits implements AutoCloseable {
    private static final Duration MOST_TIME = Duration.ofSeconds(1);
    private static final long MOST_BYTES = 64 << 20;
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private final int seed;
    private final long nanos = THREADS.getCurrentThreadCpuTime();
    private final long bytes = THREADS.getCurrentThreadAllocatedBytes();

    /// From here to [#close], for the file of this seed.
    public Limits(int seed) {
        this.seed = seed;
    }

    @Override
    public void close() {
        assertThat(Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - nanos))
                .as("time of seed %d", seed)
                .isLessThan(MOST_TIME);
        assertThat(THREADS.getCurrentThreadAllocatedBytes() - bytes)
                .as("bytes allocated for seed %d", seed)
                .isLessThan(MOST_BYTES);
    }
}
