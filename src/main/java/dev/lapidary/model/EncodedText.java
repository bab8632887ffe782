package dev.lapidary.model;

import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.Arena;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/// An encoded text as the layers of a decoder attend to it: keys and values, F32. Nothing changes it once it is made,
/// so sequences share it; the last one to release it frees it.
public final class EncodedText {
    private final int tokens;
    private final Arena arena = Arena.ofShared();
    private final List<Heads> keys = new ArrayList<>();
    private final List<Heads> values = new ArrayList<>();
    private final AtomicInteger users = new AtomicInteger(1);

    /// Zeros, released by one user.
    ///
    /// @param config of the decoder
    /// @param memory gives memory that an arena owns
    EncodedText(GemmaConfig config, int tokens, Function<Arena, SegmentAllocator> memory) {
        this.tokens = tokens;
        try {
            SegmentAllocator allocator = memory.apply(arena);
            for (LayerConfig layer : config.layers()) {
                keys.add(heads(layer, slots(tokens), allocator));
                values.add(heads(layer, slots(tokens), allocator));
            }
        } catch (RuntimeException | Error e) {
            arena.close();
            throw e;
        }
    }

    /// Bytes that one of `tokens` tokens takes.
    static long bytes(GemmaConfig config, int tokens) {
        return config.layers().stream()
                .mapToLong(layer -> 2L * slots(tokens) * layer.kvCols() * Float.BYTES)
                .reduce(0, Math::addExact);
    }

    /// As those of a cache, so that products with keys have few distinct shapes.
    private static int slots(int tokens) {
        return Math.ceilDiv(tokens, KvCache.SLOT_ALIGNMENT) * KvCache.SLOT_ALIGNMENT;
    }

    private static Heads heads(LayerConfig layer, int slots, SegmentAllocator allocator) {
        long bytes = Math.multiplyExact((long) slots * layer.kvCols(), (long) Float.BYTES);
        long headStride = (long) slots * layer.headDim();
        return new Heads(
                allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES),
                slots,
                layer.kvHeads(),
                layer.headDim(),
                layer.headDim(),
                headStride);
    }

    /// Tokens of the text; slots behind them are zeros.
    int tokens() {
        return tokens;
    }

    /// Keys of a layer, `[slots, kvHeads, headDim]`, a head's slots contiguous.
    Heads keys(int layer) {
        return keys.get(layer);
    }

    /// Values of a layer, as [#keys].
    Heads values(int layer) {
        return values.get(layer);
    }

    /// This, with one user more.
    public EncodedText share() {
        users.incrementAndGet();
        return this;
    }

    /// Ends one user's use.
    public void release() {
        if (users.decrementAndGet() == 0) {
            arena.close();
        }
    }
}
