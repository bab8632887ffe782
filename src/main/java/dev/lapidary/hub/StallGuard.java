package dev.lapidary.hub;

import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;

/// Closes a body from which nothing comes any more: a read of it would wait for ever.
final class StallGuard implements AutoCloseable {
    private final InputStream body;
    private final long mostNanos;
    private final Thread watcher;
    private volatile long lastNanos = System.nanoTime();
    private volatile boolean stalled;

    StallGuard(InputStream body, Duration most) {
        this.body = body;
        mostNanos = most.toNanos();
        watcher = Thread.ofVirtual().name("lapidary-hub-stall").start(this::watch);
    }

    /// Something came.
    void alive() {
        lastNanos = System.nanoTime();
    }

    /// Whether the body was closed here.
    boolean isStalled() {
        return stalled;
    }

    @Override
    public void close() throws IOException {
        watcher.interrupt();
        body.close();
    }

    private void watch() {
        try {
            for (long left = mostNanos; left > 0; left = mostNanos - (System.nanoTime() - lastNanos)) {
                Thread.sleep(Duration.ofNanos(left));
            }
            stalled = true;
            body.close();
        } catch (InterruptedException | IOException e) {
            return; // it is over, one way or the other
        }
    }
}
