package dev.lapidary.kernels;

import java.lang.foreign.AddressLayout;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// Memory that ends where a page begins that nobody may touch: native code that reads one element too many dies of it
/// instead of passing the test.
@SuppressWarnings("restricted")
final class GuardedMemory {
    private static final int READ_WRITE = 3; // PROT_READ | PROT_WRITE
    private static final int PRIVATE_ANONYMOUS = 0x22; // MAP_PRIVATE | MAP_ANONYMOUS of Linux
    private static final AddressLayout ADDRESS = ValueLayout.ADDRESS;
    private static final MethodHandle MMAP = libc(
            "mmap",
            FunctionDescriptor.of(
                    ADDRESS,
                    ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_LONG));
    private static final MethodHandle MPROTECT = libc(
            "mprotect",
            FunctionDescriptor.of(ValueLayout.JAVA_INT, ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
    private static final MethodHandle MUNMAP =
            libc("munmap", FunctionDescriptor.of(ValueLayout.JAVA_INT, ADDRESS, ValueLayout.JAVA_LONG));
    private static final long PAGE_BYTES = pageBytes();

    private GuardedMemory() {}

    /// `bytes` zeros, aligned as far as their number allows, that end at the guard; freed with `arena`.
    static MemorySegment allocate(Arena arena, long bytes) {
        long pages = (bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
        long mapped = pages + PAGE_BYTES;
        try {
            MemorySegment base =
                    (MemorySegment) MMAP.invokeExact(MemorySegment.NULL, mapped, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (base.address() == -1) {
                throw new OutOfMemoryError("mmap: got a refusal for %d bytes".formatted(mapped));
            }
            MemorySegment whole = base.reinterpret(mapped, arena, memory -> unmap(memory, mapped));
            int status = (int) MPROTECT.invokeExact(whole.asSlice(pages), PAGE_BYTES, 0);
            if (status != 0) {
                throw new IllegalStateException("mprotect: got status " + status);
            }
            return whole.asSlice(pages - bytes, bytes);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static void unmap(MemorySegment memory, long bytes) {
        try {
            int status = (int) MUNMAP.invokeExact(memory, bytes);
            if (status != 0) {
                throw new IllegalStateException("munmap: got status " + status);
            }
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static long pageBytes() {
        try {
            return (int) libc("getpagesize", FunctionDescriptor.of(ValueLayout.JAVA_INT))
                    .invokeExact();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable t) {
            throw new AssertionError(t);
        }
    }

    private static MethodHandle libc(String name, FunctionDescriptor descriptor) {
        Linker linker = Linker.nativeLinker();
        return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
    }
}
