package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_measure_bf16;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_measure_fma;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_measure_int8;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_measure_read;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Measures [Ceilings] with the threads and the backend of some kernels. On the driver thread only.
public final class CeilingProbe implements AutoCloseable {
    private static final double SECONDS = 0.1;
    private static final double NANOS = 1e9;

    /// Extents of the product: large enough that what surrounds it does not show.
    private static final int ROWS = 1024;

    private static final int INNER = 4096;

    private final NativeKernels kernels;
    private final Backend backend;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;

    /// @param bytes of memory to read, which should be several times what the caches hold
    CeilingProbe(NativeKernels kernels, Backend backend, long bytes) {
        this.kernels = kernels;
        this.backend = backend;
        // Pages that nobody has written to all share one page of zeros
        memory = new PageMemory(arena).allocate(bytes, Matrix.ALIGNMENT_BYTES).fill((byte) 1);
    }

    /// Runs every probe, about half a second in all.
    public Ceilings measure() {
        kernels.prepare();
        return new Ceilings(
                gemma_measure_read(memory, memory.byteSize(), SECONDS),
                gemma_measure_fma(SECONDS),
                StoredMatmul.hasTiles() ? "tdpbf16ps" : "vdpbf16ps",
                gemma_measure_bf16(SECONDS),
                backend.multiplies(DataType.BF16) ? matmul() : 0,
                gemma_measure_int8(SECONDS));
    }

    /// Operations per second of the best of many BF16 products.
    private double matmul() {
        try (Arena call = Arena.ofConfined()) {
            Matrix left = Matrix.allocate(call, DataType.BF16, ROWS, INNER);
            Matrix right = Matrix.allocate(call, DataType.BF16, ROWS, INNER);
            Matrix out = Matrix.allocate(call, ROWS, ROWS);
            backend.matmulTransposed(left, right, out);
            long best = Long.MAX_VALUE;
            long begin = System.nanoTime();
            long end = begin;
            while (end - begin < SECONDS * NANOS) {
                long start = end;
                backend.matmulTransposed(left, right, out);
                end = System.nanoTime();
                best = Math.min(best, end - start);
            }
            return 2.0 * ROWS * ROWS * INNER / best * NANOS;
        }
    }

    /// Gives the memory back.
    @Override
    public void close() {
        arena.close();
    }
}
