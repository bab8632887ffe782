package dev.lapidary.kernels;

import dev.lapidary.bindings.shim.GemmaKernels;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/// Allocates whole pages, zeroed, that take memory only where they are touched: what a cache may grow to costs nothing
/// until it does. An [Arena] would write zeros to all of it at once.
public final class PageMemory implements SegmentAllocator {
    /// Address space behind each allocation: a foreign BLAS may read some rows too many (see
    /// [Backend#staysInBounds]).
    static final long SLACK_BYTES = 1 << 20;

    private final Arena arena;

    /// Memory that is given back when `arena` is closed. The native libraries must be loaded.
    public PageMemory(Arena arena) {
        this.arena = arena;
    }

    /// Throws `OutOfMemoryError` if the system refuses that much address space.
    @Override
    public MemorySegment allocate(long bytes, long alignmentBytes) {
        long mapped = Math.addExact(bytes, SLACK_BYTES);
        MemorySegment pages = GemmaKernels.gemma_map_pages(mapped);
        if (pages.equals(MemorySegment.NULL)) {
            throw new OutOfMemoryError("pages: got a refusal for %d bytes of address space".formatted(bytes));
        }
        return NativeLibrary.owned(pages, mapped, arena, freed -> {
                    int _ = GemmaKernels.gemma_unmap_pages(freed, mapped);
                })
                .asSlice(0, bytes);
    }
}
