package dev.lapidary.hub;

import java.util.concurrent.CancellationException;

/// What an interrupt means here: the download ends, and the thread stays interrupted.
final class Interrupts {
    private Interrupts() {}

    static CancellationException cancelled(Throwable cause) {
        Thread.currentThread().interrupt();
        CancellationException cancelled = new CancellationException("the download was interrupted");
        cancelled.initCause(cause);
        return cancelled;
    }

    static void check() {
        if (Thread.currentThread().isInterrupted()) {
            throw new CancellationException("the download was interrupted");
        }
    }
}
