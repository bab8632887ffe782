package dev.lapidary.kernels;

import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// The one thread that calls kernels. OpenMP keeps a team of threads per calling thread, so kernels called from many
/// threads would put many teams on the same cores; callers, virtual threads included, hand their work over and wait.
///
/// Handing over allocates nothing once a thread has done it: what carries the work belongs to the caller's thread.
public final class DriverThread extends Thread {
    /// Work handed over and not begun, the newest first.
    private static final AtomicReference<@Nullable Handover> WAITING = new AtomicReference<>();

    private static final ThreadLocal<Handover> OWN = ThreadLocal.withInitial(Handover::new);

    private static final DriverThread DRIVER = started();

    private DriverThread() {
        super("lapidary-driver");
        setDaemon(true);
    }

    private static DriverThread started() {
        DriverThread driver = new DriverThread();
        driver.start();
        return driver;
    }

    /// Runs `work` on the driver thread, after what was handed over before it.
    ///
    /// An interrupt does not cut the work short, since it uses memory of the caller; the flag stays set for the
    /// caller.
    public static void run(Runnable work) {
        run(work, () -> {});
    }

    /// As [#run(Runnable)], and tells `onInterrupt` of an interrupt as soon as it comes: until the work is done,
    /// nobody can see it in the caller's flag.
    public static void run(Runnable work, Runnable onInterrupt) {
        if (Thread.currentThread() == DRIVER) {
            work.run();
        } else {
            OWN.get().hand(work, onInterrupt);
        }
    }

    /// As [#run(Runnable)], with a result.
    public static <T> T call(Callable<T> work) {
        Result<T> result = new Result<>(work);
        run(result);
        return result.get();
    }

    @Override
    public void run() {
        while (true) {
            Handover newest = WAITING.getAndSet(null);
            if (newest == null) {
                LockSupport.park(this);
                continue;
            }
            Handover next = oldestFirst(newest);
            while (next != null) {
                Handover current = next;
                // Once it is done, its thread may use it again
                next = current.next;
                current.runAndWake();
            }
        }
    }

    private static Handover oldestFirst(Handover newest) {
        Handover first = newest;
        Handover rest = newest.next;
        newest.next = null;
        while (rest != null) {
            Handover older = rest;
            rest = older.next;
            older.next = first;
            first = older;
        }
        return first;
    }

    /// What carries a thread's work to the driver, used again for each piece of work.
    private static final class Handover {
        private @Nullable Thread owner;
        private @Nullable Runnable work;
        private @Nullable Throwable failure;
        private @Nullable Handover next;
        private volatile boolean done;

        /// Hands `runnable` over, waits until it is done and throws what it threw.
        void hand(Runnable runnable, Runnable onInterrupt) {
            owner = Thread.currentThread();
            work = runnable;
            failure = null;
            done = false;
            push();
            LockSupport.unpark(DRIVER);
            boolean interrupted = false;
            while (!done) {
                LockSupport.park(this);
                if (Thread.interrupted()) {
                    interrupted = true;
                    onInterrupt.run();
                }
            }
            work = null;
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
            Throwable thrown = failure;
            if (thrown != null) {
                failure = null;
                throw rethrown(thrown);
            }
        }

        private void push() {
            Handover before = WAITING.get();
            next = before;
            while (!WAITING.compareAndSet(before, this)) {
                before = WAITING.get();
                next = before;
            }
        }

        /// On the driver thread.
        void runAndWake() {
            Thread waiting = owner;
            Runnable todo = work;
            try {
                if (todo != null) {
                    todo.run();
                }
            } catch (Throwable e) {
                failure = e;
            }
            done = true;
            LockSupport.unpark(waiting);
        }
    }

    private static final class Result<T> implements Runnable {
        private final Callable<T> work;
        private @Nullable T value;

        Result(Callable<T> work) {
            this.work = work;
        }

        @Override
        public void run() {
            try {
                value = work.call();
            } catch (RuntimeException e) {
                throw e;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }

        @SuppressWarnings("NullAway") // null only if the work gave null, which its type then allows
        T get() {
            return value;
        }
    }

    /// The same exception for the caller, whose own stack is added where it does not show in the trace.
    private static RuntimeException rethrown(Throwable cause) {
        cause.addSuppressed(new HandedOver());
        switch (cause) {
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(cause);
        }
    }

    /// Shows in a stack trace from the driver thread who handed the work over.
    private static final class HandedOver extends Exception {
        private static final long serialVersionUID = 1;

        HandedOver() {
            super("handed to the driver thread by " + Thread.currentThread().getName());
        }
    }
}
