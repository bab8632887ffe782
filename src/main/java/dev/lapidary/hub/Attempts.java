package dev.lapidary.hub;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;

/// The attempts at one thing: pauses between them, longer each time, until they have been enough.
final class Attempts {
    private final Timing timing;
    private final String what;
    private final Consumer<String> tell;
    private int failed;

    /// @param what names it in messages: a repository, or a file of one
    Attempts(Timing timing, String what, Consumer<String> tell) {
        this.timing = timing;
        this.what = what;
        this.tell = tell;
    }

    /// Does it, as often as need be.
    static <T> T at(Timing timing, String what, Consumer<String> tell, Attempt<T> attempt) throws IOException {
        Attempts attempts = new Attempts(timing, what, tell);
        while (true) {
            try {
                return attempt.run();
            } catch (PassingFailure e) {
                attempts.failed(e);
            }
        }
    }

    /// An attempt got further than the one before: what failed until now does not count any more.
    void progressed() {
        failed = 0;
    }

    /// Waits for the time to try again.
    ///
    /// @throws HubException          if it has been tried often enough, or the server asks for more patience than
    ///                               we have
    /// @throws CancellationException after an interrupt
    void failed(PassingFailure failure) throws HubException {
        failed++;
        if (failed >= timing.attempts()) {
            throw new HubException(
                    "%s: %s (%d attempts); what was downloaded is kept, try again later"
                            .formatted(what, failure.getMessage(), failed),
                    failure);
        }
        Duration pause = pause();
        Duration asked = failure.after();
        if (asked != null) {
            if (asked.compareTo(timing.longestWait()) > 0) {
                throw new HubException(
                        "%s: %s; what was downloaded is kept, try again in %d s"
                                .formatted(what, failure.getMessage(), asked.toSeconds()),
                        failure);
            }
            pause = asked;
        }
        tell.accept("%s: %s; trying again%s"
                .formatted(
                        what,
                        failure.getMessage(),
                        pause.toSeconds() > 0 ? " in %d s".formatted(pause.toSeconds()) : ""));
        sleep(pause);
    }

    /// Twice as long each time, and not the same for all who failed together.
    private Duration pause() {
        long most = timing.firstPause().toMillis() << (failed - 1);
        long millis = ThreadLocalRandom.current().nextLong(most / 2, most + 1);
        return Duration.ofMillis(Math.min(millis, timing.longestWait().toMillis()));
    }

    private static void sleep(Duration pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        }
    }

    /// What may have to be done more than once.
    interface Attempt<T> {
        /// Does it once.
        ///
        /// @throws PassingFailure if it might be tried again
        T run() throws IOException;
    }
}
