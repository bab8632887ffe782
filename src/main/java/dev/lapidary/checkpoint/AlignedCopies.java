package dev.lapidary.checkpoint;

import dev.lapidary.checkpoint.SafetensorsHeader.Entry;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/// Copies of the tensors that a file leaves unaligned. Memory for them is outside the heap and nothing else limits it,
/// so all copies of a checkpoint together may take what the heap may: the limit that a user sets, and that otherwise
/// follows the container's memory.
final class AlignedCopies {
    private static final int ALIGNMENT = 64;

    private final Arena arena;
    private long left;

    AlignedCopies(Arena arena) {
        this(arena, Runtime.getRuntime().maxMemory());
    }

    /// @param limit bytes of all copies together
    AlignedCopies(Arena arena, long limit) {
        this.arena = arena;
        this.left = limit;
    }

    /// The entry's bytes, from `begin` of the file on, in memory of the arena.
    MemorySegment copy(Path file, Entry entry, FileChannel channel, long begin) throws IOException {
        long bytes = entry.end() - entry.begin();
        if (bytes > left) {
            throw new CheckpointException(
                    "%s: %s: got %d bytes at byte %d, need a multiple of %d or at most %d to copy; %s"
                            .formatted(
                                    file,
                                    entry.name(),
                                    bytes,
                                    begin,
                                    entry.type().alignment(),
                                    left,
                                    "pad the file's header, or raise the limit of all copies with -Xmx"));
        }
        left -= bytes;
        MemorySegment aligned = arena.allocate(bytes, ALIGNMENT);
        RegularFile.readFully(channel, begin, aligned);
        return aligned.asReadOnly();
    }
}
