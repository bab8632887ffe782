package dev.lapidary.hub;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What may go well when it is tried again: a cut connection, a server that is busy.
final class PassingFailure extends IOException {
    private static final long serialVersionUID = 1L;

    /// What the server asked to wait; null if it did not say.
    private final @Nullable Duration after;

    PassingFailure(String message, @Nullable Duration after, @Nullable Throwable cause) {
        super(message, cause);
        this.after = after;
    }

    @Nullable
    Duration after() {
        return after;
    }
}
