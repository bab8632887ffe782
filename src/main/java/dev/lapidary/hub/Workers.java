package dev.lapidary.hub;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Tasks side by side: the first that fails ends the others, and all have ended when this is done.
final class Workers {
    private Workers() {}

    /// A part of the work.
    interface Task {
        void run() throws IOException;
    }

    /// Runs all tasks in their order, at most `width` at a time.
    ///
    /// @throws IOException           what the first that failed threw
    /// @throws CancellationException after an interrupt
    static void run(int width, List<? extends Task> tasks) throws IOException {
        int threadCount = Math.min(width, tasks.size());
        Iterator<? extends Task> left = tasks.iterator();
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            ExecutorCompletionService<Void> ended = new ExecutorCompletionService<>(threads);
            List<Future<Void>> futures = new ArrayList<>();
            for (int i = 0; i < threadCount; i++) {
                futures.add(ended.submit(() -> work(left)));
            }
            try {
                for (int i = 0; i < threadCount; i++) {
                    ended.take().get();
                }
            } finally {
                futures.forEach(future -> future.cancel(true));
            }
        } catch (InterruptedException e) {
            throw Interrupts.cancelled(e);
        } catch (ExecutionException e) {
            throw cause(e);
        }
    }

    private static @Nullable Void work(Iterator<? extends Task> left) throws IOException {
        for (Task task = next(left); task != null; task = next(left)) {
            Interrupts.check();
            task.run();
        }
        return null;
    }

    private static @Nullable Task next(Iterator<? extends Task> left) {
        synchronized (left) {
            return left.hasNext() ? left.next() : null;
        }
    }

    private static IOException cause(ExecutionException failure) {
        return switch (failure.getCause()) {
            case IOException e -> e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case null, default -> new IOException(failure.getCause());
        };
    }
}
