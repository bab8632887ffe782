package dev.lapidary.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/// A file that appears under its name only when [#finish()] returns, complete, in place of what was there; without
/// that, [#close()] leaves nothing behind. Written in order. For one thread.
final class ReplacedFile implements AutoCloseable {
    private static final int BUFFER_BYTES = 1 << 20;

    private final Path target;
    private final Path part;
    private final FileChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final MemorySegment staging = MemorySegment.ofBuffer(buffer.duplicate());

    private ReplacedFile(Path target, Path part) throws IOException {
        this.target = target;
        this.part = part;
        this.channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    }

    /// Starts `file`, which may exist already and is then replaced at the end.
    static ReplacedFile create(Path file) throws IOException {
        Path target = replaceable(file);
        Path part = target.resolveSibling(".%s.%s.part"
                .formatted(
                        target.getFileName(),
                        Long.toHexString(ThreadLocalRandom.current().nextLong())));
        return new ReplacedFile(target, part);
    }

    /// Where the file will be.
    Path target() {
        return target;
    }

    void append(byte[] bytes) throws IOException {
        append(MemorySegment.ofArray(bytes));
    }

    void append(MemorySegment bytes) throws IOException {
        long done = 0;
        while (done < bytes.byteSize()) {
            if (!buffer.hasRemaining()) {
                flush();
            }
            int piece = (int) Math.min(buffer.remaining(), bytes.byteSize() - done);
            MemorySegment.copy(bytes, done, staging, buffer.position(), piece);
            buffer.position(buffer.position() + piece);
            done += piece;
        }
    }

    /// Completes the file and gives it its name.
    void finish() throws IOException {
        flush();
        channel.force(true);
        channel.close();
        Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void close() throws IOException {
        channel.close();
        Files.deleteIfExists(part);
    }

    /// Where the file goes: through a link, and never in place of a device (`/dev/null`) or a folder.
    private static Path replaceable(Path file) throws IOException {
        Path target = Files.exists(file) ? file.toRealPath() : file.toAbsolutePath();
        if (Files.exists(target) && !Files.isRegularFile(target)) {
            throw new IOException("%s: got something that is not a file, need a file or a new name".formatted(file));
        }
        Path folder = target.getParent();
        if (folder == null || !Files.isDirectory(folder)) {
            throw new IOException("%s: its folder does not exist".formatted(file));
        }
        return target;
    }

    private void flush() throws IOException {
        buffer.flip();
        try {
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
        } catch (ClosedByInterruptException e) {
            throw e;
        } catch (IOException e) {
            throw new IOException("%s: %s".formatted(target, e.getMessage()), e);
        }
        buffer.clear();
    }
}
