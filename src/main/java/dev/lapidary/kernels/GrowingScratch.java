package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Scratch memory that keeps the largest size ever asked for, so that a steady state allocates nothing. One thread at a
/// time; what it returned before is gone when it grows.
final class GrowingScratch implements AutoCloseable {
    private Arena arena = Arena.ofShared();
    private MemorySegment segment = MemorySegment.NULL;

    @SuppressWarnings("MustBeClosedChecker") // the arena is this object's
    MemorySegment atLeast(long bytes) {
        if (segment.byteSize() < bytes) {
            arena.close();
            arena = Arena.ofShared();
            segment = new PageMemory(arena).allocate(bytes, Matrix.ALIGNMENT_BYTES);
        }
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }
}
