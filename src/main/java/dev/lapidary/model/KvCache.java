package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// What the layers keep of one sequence: keys and values in F32 or BF16, states in F32. A LOCAL layer keeps keys and
/// values in a ring of its window and one
/// chunk, a GLOBAL layer those of every position up to the capacity; position `p` stands in slot `p % slots`. A
/// RECURRENT layer keeps its state, which does not grow: after the last batch, and before it. A layer that reads
/// another's keys and values keeps nothing, and bidirectional layers keep nothing between batches: one stands where the
/// last one stood.
public final class KvCache {
    /// Slots come in multiples of this, so that blocks of keys begin and end at multiples of it too.
    static final int SLOT_ALIGNMENT = 64;

    /// Four of it are 0.0115 in F32, two 0.0115 in BF16.
    private static final byte STAND_IN = 0x3c;

    private final int capacity;
    private final DataType type;
    private final List<Layer> layers = new ArrayList<>();
    private final StateVersions versions = new StateVersions();
    private final boolean recurrent;
    private @Nullable EncodedText encoded;

    /// A cache of zeros in memory of `allocator`.
    ///
    /// @param capacity positions it can hold
    /// @param maxChunk most positions added between two reads
    /// @param type     of keys and values: F32 or BF16
    public KvCache(GemmaConfig config, int capacity, int maxChunk, DataType type, SegmentAllocator allocator) {
        this.capacity = capacity;
        this.type = type;
        Map<Extents, KeysAndValues> passing = new HashMap<>();
        for (LayerConfig layer : config.layers()) {
            layers.add(layer(layer, slots(layer, capacity, maxChunk), passing, allocator));
        }
        recurrent = layers.stream().anyMatch(States.class::isInstance);
    }

    private Layer layer(LayerConfig layer, int slots, Map<Extents, KeysAndValues> passing, SegmentAllocator allocator) {
        if (layer.attention() == AttentionType.RECURRENT) {
            return new States(RecurrentState.allocate(layer, allocator), RecurrentState.allocate(layer, allocator));
        }
        if (layer.bidirectional()) {
            return passing.computeIfAbsent(Extents.of(layer), _ -> keysAndValues(layer, slots, allocator));
        }
        return layer.keyValues().isShared()
                ? new Shared(keysAndValues(layer.keyValues().source()))
                : keysAndValues(layer, slots, allocator);
    }

    /// Bytes that a cache of these extents takes, all layers together.
    public static long bytes(GemmaConfig config, int capacity, int maxChunk, DataType type) {
        Set<Extents> passing = new HashSet<>();
        return config.layers().stream()
                .filter(layer -> !layer.bidirectional() || passing.add(Extents.of(layer)))
                .mapToLong(layer -> layer.attention() == AttentionType.RECURRENT
                        ? StateVersions.COUNT * RecurrentState.bytes(layer)
                        : (long) slots(layer, capacity, maxChunk) * layer.cachedCols() * type.bytes())
                .reduce(0, Math::addExact);
    }

    /// Slots of a layer. A ring must still hold the window of a chunk's first position once the whole chunk is
    /// stored, and blocks reach up to one alignment beyond either end.
    static int slots(LayerConfig layer, int capacity, int maxChunk) {
        long need = capacity;
        if (layer.attention() == AttentionType.LOCAL && !layer.bidirectional()) {
            need = Math.min(need, (long) layer.window() - 1 + maxChunk + 2 * SLOT_ALIGNMENT);
        }
        return Math.toIntExact((need + SLOT_ALIGNMENT - 1) / SLOT_ALIGNMENT * SLOT_ALIGNMENT);
    }

    /// Positions it can hold.
    public int capacity() {
        return capacity;
    }

    /// Keys of a layer, `[slots, kvHeads, headDim]`, a head's slots contiguous.
    Heads keys(int layer) {
        return keysAndValues(layer).keys;
    }

    /// Values of a layer, as [#keys].
    Heads values(int layer) {
        return keysAndValues(layer).values;
    }

    /// Lets the sequence attend to `text`, which stays the caller's.
    public void attendTo(EncodedText text) {
        encoded = text;
    }

    /// The text that the sequence attends to.
    ///
    /// @throws IllegalStateException if there is none
    EncodedText encoded() {
        if (encoded == null) {
            throw new IllegalStateException("KV cache: got no encoded text, need one for layers that attend to it");
        }
        return encoded;
    }

    /// Announces a batch that goes on from `position`.
    ///
    /// @throws IllegalStateException if recurrent states stand elsewhere
    void begin(int position) {
        if (recurrent) {
            versions.begin(position);
        }
    }

    /// Says that the batch is through, and that everything below `position` is here.
    void commit(int position) {
        versions.commit(position);
    }

    /// The state that the batch at hand goes on from; null where the sequence begins.
    @Nullable
    RecurrentState stateBefore(int layer) {
        return versions.isEmpty() ? null : states(layer).version(versions.read());
    }

    /// Where the batch at hand puts its state.
    RecurrentState stateAfter(int layer) {
        return states(layer).version(versions.written());
    }

    /// Makes this the same as `source` for every position below `position`.
    public void copyFrom(KvCache source, int position) {
        versions.copyFrom(source.versions);
        for (int i = 0; i < layers.size(); i++) {
            switch (layers.get(i)) {
                case KeysAndValues target -> {
                    copy(source.keys(i), target.keys, position);
                    copy(source.values(i), target.values, position);
                }
                case States target -> {
                    target.first.copyFrom(source.states(i).first);
                    target.second.copyFrom(source.states(i).second);
                }
                case Shared _ -> {}
            }
        }
    }

    /// Stands in for computing the first `position` positions: what they would have stored gets values that mean
    /// nothing, so that reading them takes the time it takes.
    public void fill(int position) {
        for (Layer layer : layers) {
            switch (layer) {
                case KeysAndValues slots -> {
                    fill(slots.keys, position);
                    fill(slots.values, position);
                }
                case States states -> {
                    states.first.fill(STAND_IN);
                    states.second.fill(STAND_IN);
                }
                case Shared _ -> {}
            }
        }
        assume(position);
    }

    /// Lets recurrent states stand for the first `position` positions, or all but the last of them, whatever they
    /// hold.
    public void assume(int position) {
        versions.assume(position);
    }

    /// Whether every LOCAL layer still has the window of `position` when all up to `newest` is stored, and every
    /// RECURRENT layer its state: the one after the last batch or the one before it.
    ///
    /// @return whether a sequence that was at `newest` may go on from `position` without reading its tokens again
    public boolean canRewind(GemmaConfig config, int newest, int position) {
        if (recurrent && !versions.has(position)) {
            return false;
        }
        for (int i = 0; i < layers.size(); i++) {
            LayerConfig layer = config.layers().get(i);
            if (layer.attention() == AttentionType.LOCAL && newest > keys(i).rows()) {
                int oldestKept = newest - keys(i).rows();
                if (position > 0 && Math.max(0, position - layer.window() + 1) < oldestKept) {
                    return false;
                }
            }
        }
        return true;
    }

    private static void copy(Heads source, Heads target, int position) {
        int from = Math.max(0, position - Math.min(source.rows(), target.rows()));
        for (int head = 0; head < source.heads(); head++) {
            for (int p = from; p < position; ) {
                int sourceSlot = p % source.rows();
                int targetSlot = p % target.rows();
                int run = Math.min(position - p, Math.min(source.rows() - sourceSlot, target.rows() - targetSlot));
                Matrix to = target.head(head, targetSlot, run);
                to.data()
                        .asSlice(0, to.elementBytes())
                        .copyFrom(source.head(head, sourceSlot, run).data().asSlice(0, to.elementBytes()));
                p += run;
            }
        }
    }

    private static void fill(Heads heads, int position) {
        for (int head = 0; head < heads.heads(); head++) {
            Matrix stored = heads.head(head, 0, Math.min(position, heads.rows()));
            stored.data().asSlice(0, stored.elementBytes()).fill(STAND_IN);
        }
    }

    private Heads heads(LayerConfig layer, int slots, SegmentAllocator allocator) {
        long bytes = Math.multiplyExact((long) slots * layer.kvCols(), (long) type.bytes());
        MemorySegment data = allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES);
        long headStride = (long) slots * layer.headDim();
        return new Heads(data, type, slots, layer.kvHeads(), layer.headDim(), layer.headDim(), headStride);
    }

    private KeysAndValues keysAndValues(LayerConfig layer, int slots, SegmentAllocator allocator) {
        return new KeysAndValues(heads(layer, slots, allocator), heads(layer, slots, allocator));
    }

    private KeysAndValues keysAndValues(int layer) {
        return layers.get(layer) instanceof Shared(KeysAndValues source) ? source : (KeysAndValues) layers.get(layer);
    }

    private States states(int layer) {
        return (States) layers.get(layer);
    }

    private sealed interface Layer {}

    /// What the size of a slot follows from.
    private record Extents(int kvHeads, int headDim) {
        static Extents of(LayerConfig layer) {
            return new Extents(layer.kvHeads(), layer.headDim());
        }
    }

    private record KeysAndValues(Heads keys, Heads values) implements Layer {}

    private record Shared(KeysAndValues source) implements Layer {}

    private record States(RecurrentState first, RecurrentState second) implements Layer {
        RecurrentState version(int version) {
            return version == 0 ? first : second;
        }
    }
}
