package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Memory that ends where a page begins that nobody may touch: a kernel that reads or writes one element too far ends
/// the process with a SIGSEGV that names it, instead of passing.
@SuppressWarnings("restricted")
final class GuardedMemory implements AutoCloseable {
    private static final int PROT_NONE = 0;
    private static final int PROT_READ_WRITE = 3;
    private static final int MAP_PRIVATE = 2;
    private static final int MAP_ANONYMOUS = System.getProperty("os.name").startsWith("Mac") ? 0x1000 : 0x20;

    private static final MethodHandle MMAP = function(
            "mmap",
            FunctionDescriptor.of(
                    ValueLayout.ADDRESS,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG));
    private static final MethodHandle MPROTECT = function(
            "mprotect",
            FunctionDescriptor.of(
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    private static final MethodHandle MUNMAP =
            function("munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_LONG));
    private static final MethodHandle GETPAGESIZE =
            function("getpagesize", FunctionDescriptor.of(ValueLayout.JAVA_INT));

    private final Arena arena = Arena.ofShared();

    /// `bytes` zeros, the last of which is the last one that may be touched; aligned for elements of a size that
    /// divides `bytes`.
    MemorySegment allocate(long bytes) {
        try {
            long page = (int) GETPAGESIZE.invokeExact();
            long usable = (bytes + page - 1) / page * page;
            MemorySegment pages = (MemorySegment) MMAP.invokeExact(
                    MemorySegment.NULL, usable + page, PROT_READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L);
            if (pages.address() == -1) {
                throw new OutOfMemoryError("mmap of %d bytes".formatted(usable + page));
            }
            MemorySegment mapped = pages.reinterpret(usable + page, arena, GuardedMemory::unmap);
            if ((int) MPROTECT.invokeExact(mapped.asSlice(usable), page, PROT_NONE) != 0) {
                throw new IllegalStateException("mprotect");
            }
            return mapped.asSlice(usable - bytes, bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public void close() {
        arena.close();
    }

    private static void unmap(MemorySegment mapped) {
        try {
            int _ = (int) MUNMAP.invokeExact(mapped, mapped.byteSize());
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        }
    }

    private static MethodHandle function(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }
}
