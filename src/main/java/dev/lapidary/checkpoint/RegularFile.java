package dev.lapidary.checkpoint;

import java.io.EOFException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// Opening and reading files whose path a user or another file gave.
final class RegularFile {
    private static final long CHUNK_BYTES = 1 << 30;

    private RegularFile() {}

    /// Opens for reading. A pipe or a device is refused: reading one could block for ever.
    static FileChannel open(Path file) throws IOException {
        if (!Files.exists(file)) {
            throw new CheckpointException(
                    Files.isSymbolicLink(file)
                            ? "%s: links to %s, which does not exist".formatted(file, Files.readSymbolicLink(file))
                            : file + ": does not exist");
        }
        if (!Files.isRegularFile(file)) {
            throw new CheckpointException(
                    "%s: got a %s, need a file".formatted(file, Files.isDirectory(file) ? "folder" : "device or pipe"));
        }
        return FileChannel.open(file, StandardOpenOption.READ);
    }

    /// Fills `target` from `position` on. By reads, not out of a mapping: if the file shrinks meanwhile this is an
    /// exception, where touching a mapping past the end of its file is a fault.
    static void readFully(FileChannel channel, long position, MemorySegment target) throws IOException {
        long done = 0;
        while (done < target.byteSize()) {
            ByteBuffer chunk = target.asSlice(done, Math.min(CHUNK_BYTES, target.byteSize() - done))
                    .asByteBuffer();
            int read = channel.read(chunk, position + done);
            if (read < 0) {
                throw new EOFException(
                        "ended at byte %d, need %d".formatted(position + done, position + target.byteSize()));
            }
            done += read;
        }
    }

    /// What a failed read becomes: already explained, or the operating system's own words.
    static CheckpointException unreadable(Path file, IOException cause) {
        return cause instanceof CheckpointException explained
                ? explained
                : new CheckpointException("%s: cannot be read: %s".formatted(file, cause), cause);
    }
}
