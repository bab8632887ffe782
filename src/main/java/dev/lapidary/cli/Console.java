package dev.lapidary.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/// Where a command reads and writes: data to `out`, messages to `err`, both UTF-8 whatever the locale says.
final class Console {
    private static final int BUFFER_BYTES = 1 << 16;
    private static final int LONGEST_WIND_UP_SECONDS = 30;

    private final InputStream in;
    private final PrintStream out;
    private final PrintStream err;
    private final boolean ofProcess;
    private final ReentrantLock working = new ReentrantLock();

    private Console(InputStream in, OutputStream out, OutputStream err, boolean ofProcess) {
        this.in = in;
        this.out = new PrintStream(
                new BufferedOutputStream(new Checked(out), BUFFER_BYTES), false, StandardCharsets.UTF_8);
        this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
        this.ofProcess = ofProcess;
    }

    /// The process's own streams.
    static Console ofProcess() {
        return new Console(
                System.in,
                new FileOutputStream(FileDescriptor.out),
                new BufferedOutputStream(new FileOutputStream(FileDescriptor.err)),
                true);
    }

    /// Other streams, none of which is a terminal.
    static Console of(InputStream in, OutputStream out, OutputStream err) {
        return new Console(in, out, err, false);
    }

    InputStream in() {
        return in;
    }

    /// Buffered. Unlike other print streams it throws `UncheckedIOException` when nobody takes what is written.
    PrintStream out() {
        return out;
    }

    PrintStream err() {
        return err;
    }

    /// A message that is not the command's result.
    void note(String message) {
        out.flush();
        err.println("lapidary: " + message);
    }

    /// Whether a stream is a terminal.
    boolean isTerminal(StandardStream stream) {
        return ofProcess && stream.isTerminal();
    }

    /// A file's text, or that of the standard input for `-`.
    String text(String file) throws IOException {
        return file.equals("-")
                ? new String(in.readAllBytes(), StandardCharsets.UTF_8)
                : new String(Files.readAllBytes(Path.of(file)), StandardCharsets.UTF_8);
    }

    /// A file's bytes, or those of the standard input for `-`, which closing leaves open.
    InputStream open(String file) throws IOException {
        return file.equals("-")
                ? new FilterInputStream(in) {
                    @Override
                    public void close() {}
                }
                : Files.newInputStream(Path.of(file));
    }

    /// Runs what should not be cut short by Ctrl-C, but be asked to end and given the time to show what it has.
    int work(Callable<Integer> command) throws Exception {
        working.lock();
        try {
            int code = command.call();
            out.flush();
            return code;
        } finally {
            working.unlock();
        }
    }

    /// Makes Ctrl-C interrupt `worker`, which ends computing, and wait for its [#work] to be done.
    void interruptOnExit(Thread worker) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            if (working.isLocked()) {
                worker.interrupt();
                awaitWork();
            }
        }));
    }

    private void awaitWork() {
        try {
            if (working.tryLock(LONGEST_WIND_UP_SECONDS, TimeUnit.SECONDS)) {
                working.unlock();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Errors come through, once: `PrintStream` swallows only an `IOException`.
    private static final class Checked extends OutputStream {
        private final OutputStream out;
        private boolean failed;

        Checked(OutputStream out) {
            this.out = out;
        }

        @Override
        public void write(int b) {
            write(new byte[] {(byte) b}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int from, int count) {
            attempt(() -> out.write(bytes, from, count));
        }

        @Override
        public void flush() {
            attempt(out::flush);
        }

        private void attempt(Attempt attempt) {
            if (failed) {
                return;
            }
            try {
                attempt.run();
            } catch (IOException e) {
                failed = true;
                throw new OutputFailure(e);
            }
        }
    }

    private interface Attempt {
        void run() throws IOException;
    }
}
