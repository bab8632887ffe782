package dev.lapidary.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.FileLockInterruptionException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;

/// Keeps a blob to one download at a time, across threads and processes. Python's `huggingface_hub` takes another kind
/// of lock on the same file, which does not exclude this one; both write files of their own and rename them when they
/// are whole, so that they do no harm to each other.
final class BlobLock implements AutoCloseable {
    private static final ConcurrentMap<Path, ReentrantLock> OF_THIS_PROCESS = new ConcurrentHashMap<>();

    private final ReentrantLock threads;
    private final FileChannel channel;

    private BlobLock(ReentrantLock threads, FileChannel channel) {
        this.threads = threads;
        this.channel = channel;
    }

    /// Waits for whoever has it, after calling `waiting`.
    static BlobLock acquire(Path file, Runnable waiting) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        ReentrantLock threads =
                OF_THIS_PROCESS.computeIfAbsent(file.toAbsolutePath().normalize(), _ -> new ReentrantLock());
        if (!threads.tryLock()) {
            waiting.run();
            try {
                threads.lockInterruptibly();
            } catch (InterruptedException e) {
                throw Interrupts.cancelled(e);
            }
        }
        try {
            return new BlobLock(threads, locked(file, waiting));
        } catch (IOException | RuntimeException | Error e) {
            threads.unlock();
            throw e;
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            threads.unlock();
        }
    }

    /// The lock lasts until the channel is closed.
    private static FileChannel locked(Path file, Runnable waiting) throws IOException {
        FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        try {
            FileLock lock = channel.tryLock();
            if (lock == null) {
                waiting.run();
                channel.lock();
            }
            return channel;
        } catch (FileLockInterruptionException e) {
            channel.close();
            throw Interrupts.cancelled(e);
        } catch (IOException e) {
            channel.close();
            throw new HubException(
                    "%s: cannot be locked (%s): name a cache folder on another file system with HF_HUB_CACHE"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }
}
