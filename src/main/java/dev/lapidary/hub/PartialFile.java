package dev.lapidary.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/// A file on its way: its bytes at their places, and behind them a record of how far each of its segments has come,
/// so that another process can go on with it.
///
/// Record, big-endian: a mark, the file's size, bytes of a segment, and the bytes that each segment has, 64 bits each.
/// A segment's bytes are written before they are recorded. Different segments may be written by different threads.
final class PartialFile implements AutoCloseable {
    private static final long MARK = 0x4c41_5049_4441_5259L;
    private static final int HEAD_BYTES = 3 * Long.BYTES;

    private final FileChannel channel;
    private final long size;
    private final int segmentBytes;
    private final long[] done;

    private PartialFile(FileChannel channel, long size, int segmentBytes) {
        this.channel = channel;
        this.size = size;
        this.segmentBytes = segmentBytes;
        done = new long[Math.toIntExact((size + segmentBytes - 1) / segmentBytes)];
    }

    /// Goes on with what is there, or begins anew if that is nothing, or of another size.
    static PartialFile open(Path path, long size, int segmentBytes) throws IOException {
        FileChannel channel =
                FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        try {
            PartialFile file = new PartialFile(channel, size, segmentBytes);
            if (!file.readRecord()) {
                file.restart();
            }
            return file;
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    /// How many bytes of a file of `size` are in it; 0 if there is no such file.
    static long held(Path path, long size, int segmentBytes) throws IOException {
        try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
            PartialFile file = new PartialFile(channel, size, segmentBytes);
            return file.readRecord() ? file.held() : 0;
        } catch (NoSuchFileException e) {
            return 0; // never begun, or just finished by somebody else
        }
    }

    int segments() {
        return done.length;
    }

    long start(int segment) {
        return (long) segment * segmentBytes;
    }

    /// Where the segment ends, exclusive.
    long end(int segment) {
        return Math.min(start(segment) + segmentBytes, size);
    }

    int segmentAt(long position) {
        return Math.toIntExact(position / segmentBytes);
    }

    /// Bytes that the segment has.
    synchronized long done(int segment) {
        return done[segment];
    }

    boolean isComplete(int segment) {
        return done(segment) == end(segment) - start(segment);
    }

    /// Bytes that all segments have.
    synchronized long held() {
        long held = 0;
        for (long one : done) {
            held += one;
        }
        return held;
    }

    long size() {
        return size;
    }

    FileChannel channel() {
        return channel;
    }

    /// Writes the next bytes of a segment, which must not be more than it lacks.
    void append(int segment, ByteBuffer bytes) throws IOException {
        long had = done(segment);
        long at = start(segment) + had;
        int count = bytes.remaining();
        if (at + count > end(segment)) {
            throw new IllegalArgumentException(
                    "segment %d: got %d bytes, need at most %d".formatted(segment, count, end(segment) - at));
        }
        writeFully(bytes, at);
        record(segment, had + count);
    }

    /// Forgets all bytes.
    void restart() throws IOException {
        channel.truncate(0);
        synchronized (this) {
            Arrays.fill(done, 0);
        }
        ByteBuffer record = ByteBuffer.allocate(HEAD_BYTES + done.length * Long.BYTES);
        record.putLong(MARK).putLong(size).putLong(segmentBytes).rewind();
        writeFully(record, size);
    }

    /// Leaves nothing but the file's bytes, on the disk.
    void seal() throws IOException {
        channel.truncate(size);
        channel.force(true);
    }

    @Override
    public void close() throws IOException {
        channel.close();
    }

    private void record(int segment, long bytes) throws IOException {
        synchronized (this) {
            done[segment] = bytes;
        }
        ByteBuffer entry = ByteBuffer.allocate(Long.BYTES).putLong(bytes).flip();
        writeFully(entry, size + HEAD_BYTES + (long) segment * Long.BYTES);
    }

    /// Whether the channel holds a record that fits.
    private boolean readRecord() throws IOException {
        ByteBuffer record = ByteBuffer.allocate(HEAD_BYTES + done.length * Long.BYTES);
        if (channel.size() != size + record.capacity()) {
            return false;
        }
        while (record.hasRemaining()) {
            if (channel.read(record, size + record.position()) < 0) {
                return false;
            }
        }
        record.flip();
        if (record.getLong() != MARK || record.getLong() != size || record.getLong() != segmentBytes) {
            return false;
        }
        long[] read = new long[done.length];
        for (int segment = 0; segment < read.length; segment++) {
            read[segment] = record.getLong();
            if (read[segment] < 0 || read[segment] > end(segment) - start(segment)) {
                return false;
            }
        }
        System.arraycopy(read, 0, done, 0, read.length);
        return true;
    }

    private void writeFully(ByteBuffer bytes, long at) throws IOException {
        long position = at;
        while (bytes.hasRemaining()) {
            position += channel.write(bytes, position);
        }
    }
}
