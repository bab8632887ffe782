package dev.lapidary.checkpoint;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// The beginning of a GGUF file, read in order. Never past the file's end, and never more than [#MAX_HEADER_BYTES]: a
/// file's claims are held against both before anything is allocated.
final class GgufInput {
    /// Metadata and tensor table; those of Gemma 3 with its vocabulary of 262 144 take about 8 MB.
    static final long MAX_HEADER_BYTES = 100_000_000;

    private static final int BUFFER_BYTES = 1 << 16;

    private final Path file;
    private final FileChannel channel;
    private final long fileBytes;
    private final ByteBuffer buffer =
            ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    private long bufferStart;

    GgufInput(Path file, FileChannel channel) throws IOException {
        this.file = file;
        this.channel = channel;
        fileBytes = channel.size();
    }

    /// Bytes read so far.
    long position() {
        return bufferStart + buffer.position();
    }

    int int32(String what) throws IOException {
        return need(Integer.BYTES, what).getInt();
    }

    long int64(String what) throws IOException {
        return need(Long.BYTES, what).getLong();
    }

    /// The next `count` bytes.
    byte[] bytes(long count, String what) throws IOException {
        requireLeft(count, what);
        byte[] bytes = new byte[(int) count];
        RegularFile.readFully(channel, position(), MemorySegment.ofArray(bytes));
        skip(count, what);
        return bytes;
    }

    /// Bytes `from` on up to here, again.
    byte[] since(long from) throws IOException {
        byte[] bytes = new byte[(int) (position() - from)];
        RegularFile.readFully(channel, from, MemorySegment.ofArray(bytes));
        return bytes;
    }

    void skip(long count, String what) throws IOException {
        requireLeft(count, what);
        if (count <= buffer.remaining()) {
            buffer.position(buffer.position() + (int) count);
        } else {
            bufferStart = position() + count;
            buffer.position(0).limit(0);
        }
    }

    CheckpointException problem(String what, String problem) {
        return new CheckpointException("%s: %s: %s".formatted(file, what, problem));
    }

    private void requireLeft(long count, String what) throws CheckpointException {
        long left = Math.min(fileBytes, MAX_HEADER_BYTES) - position();
        if (count < 0 || count > left) {
            throw problem(
                    what,
                    "got %s bytes from byte %d on, need at most %d (the file has %d, this version reads %d before the tensors); the file may be truncated"
                            .formatted(Long.toUnsignedString(count), position(), left, fileBytes, MAX_HEADER_BYTES));
        }
    }

    /// The buffer with at least so many bytes in it.
    private ByteBuffer need(int count, String what) throws IOException {
        if (buffer.remaining() < count) {
            requireLeft(count, what);
            bufferStart = position();
            int size = (int) Math.min(BUFFER_BYTES, fileBytes - bufferStart);
            buffer.clear().limit(size);
            RegularFile.readFully(channel, bufferStart, MemorySegment.ofBuffer(buffer));
        }
        return buffer;
    }
}
