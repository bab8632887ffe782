package dev.lapidary.kernels;

import dev.lapidary.bindings.onednn.Dnnl;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.ToIntFunction;

/// An object of oneDNN, until it is closed.
///
/// @param address what oneDNN's functions take
/// @param destroy the function that ends it
record OneDnnObject(MemorySegment address, ToIntFunction<MemorySegment> destroy) implements AutoCloseable {
    /// The object that `create` writes to the pointer it is given. Throws as [#check].
    static OneDnnObject create(String call, ToIntFunction<MemorySegment> create, ToIntFunction<MemorySegment> destroy) {
        return new OneDnnObject(forever(call, create), destroy);
    }

    /// As [#create], for what is kept until the process ends.
    static MemorySegment forever(String call, ToIntFunction<MemorySegment> create) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment pointer = arena.allocate(Dnnl.C_POINTER);
            check(call, create.applyAsInt(pointer));
            return pointer.get(Dnnl.C_POINTER, 0);
        }
    }

    /// Throws `IllegalStateException` with oneDNN's name for the status, unless it is success.
    static void check(String call, int status) {
        if (status != Dnnl.dnnl_success()) {
            String name = Dnnl.dnnl_status2str(status).getString(0);
            throw new IllegalStateException("oneDNN: %s: got status %s".formatted(call, name));
        }
    }

    @Override
    public void close() {
        check("destroy", destroy.applyAsInt(address));
    }
}
