package dev.lapidary.kernels;

import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/// The one thread that calls kernels. OpenMP keeps a team of threads per calling thread, so kernels called from many
/// threads would put many teams on the same cores; callers, virtual threads included, hand their work over and wait.
public final class DriverThread extends Thread {
    private static final ExecutorService EXECUTOR = Executors.newSingleThreadExecutor(DriverThread::new);

    private DriverThread(Runnable work) {
        super(work, "lapidary-driver");
        setDaemon(true);
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
        if (Thread.currentThread() instanceof DriverThread) {
            work.run();
        } else {
            await(EXECUTOR.submit(Executors.callable(work)), onInterrupt);
        }
    }

    /// As [#run(Runnable)], with a result.
    public static <T> T call(Callable<T> work) {
        return await(EXECUTOR.submit(work), () -> {});
    }

    private static <T> T await(Future<T> future, Runnable onInterrupt) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return future.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                    onInterrupt.run();
                } catch (ExecutionException e) {
                    throw rethrown(e.getCause() == null ? e : e.getCause());
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
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
