package dev.lapidary.cli;

import java.time.Duration;
import java.util.concurrent.Callable;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// A progress bar on standard error, if that is a terminal and only for those who wait. It goes away at the end.
final class Progress implements AutoCloseable {
    private static final int PATIENCE_MILLIS = 500;
    private static final int UPDATE_MILLIS = 100;

    private final Console console;
    private final String task;
    private final String unit;
    private final long unitSize;
    private final long total;
    private final long first;
    private final Thread opener;
    private long done;
    private boolean closed;
    private @Nullable ProgressBar bar;

    private Progress(Console console, String task, String unit, long unitSize, long total, long first) {
        this.console = console;
        this.task = task;
        this.unit = unit;
        this.unitSize = unitSize;
        this.total = total;
        this.first = first;
        done = first;
        opener = Thread.ofPlatform().daemon().name("lapidary-progress").start(this::openLater);
    }

    /// Shows how many of `total` units are done, with rate and time left.
    static Progress of(Console console, String task, String unit, long total) {
        return of(console, task, unit, 1, total, 0);
    }

    /// As above, with `first` done before this began, which does not count for the rate. A unit is shown for
    /// `unitSize`.
    static Progress of(Console console, String task, String unit, long unitSize, long total, long first) {
        return new Progress(console, task, unit, unitSize, total, first);
    }

    /// Shows that `work` goes on, where nobody can say how far it is.
    static <T> T during(Console console, String task, Callable<T> work) throws Exception {
        try (Progress _ = new Progress(console, task, "", 1, -1, 0)) {
            return work.call();
        }
    }

    synchronized void step(long units) {
        done += units;
        if (bar != null) {
            bar.stepTo(done);
        }
    }

    /// Lets a message be written in the bar's place; the bar then goes on below.
    synchronized void above(Runnable message) {
        if (bar != null) {
            console.err().print("\r" + " ".repeat(StandardStream.ERR.columns() - 1) + "\r");
        }
        message.run();
    }

    @Override
    public void close() {
        opener.interrupt();
        synchronized (this) {
            closed = true;
            if (bar != null) {
                bar.close();
            }
        }
    }

    private void openLater() {
        try {
            Thread.sleep(PATIENCE_MILLIS);
        } catch (InterruptedException e) {
            return;
        }
        if (console.isTerminal(StandardStream.ERR)) {
            open();
        }
    }

    private synchronized void open() {
        if (!closed) {
            Line line = new Line(console, StandardStream.ERR.columns() - 1);
            var builder = ProgressBar.builder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setStyle(ProgressBarStyle.ASCII)
                    .setUpdateIntervalMillis(UPDATE_MILLIS)
                    .setConsumer(line);
            bar = total < 0
                    ? builder.setRenderer((state, columns) -> state.getTaskName() + " ...")
                            .build()
                    : builder.setUnit(unit, unitSize)
                            .startsFrom(first, Duration.ZERO)
                            .showSpeed()
                            .build()
                            .stepTo(done);
        }
    }

    /// One line of the terminal, written over again and again and wiped at the end.
    private record Line(Console console, int columns) implements ProgressBarConsumer {
        @Override
        public int getMaxRenderedLength() {
            return columns;
        }

        @Override
        public void accept(String text) {
            console.err().print("\r" + text);
            console.err().flush();
        }

        @Override
        public void close() {
            accept(" ".repeat(columns) + "\r");
        }
    }
}
