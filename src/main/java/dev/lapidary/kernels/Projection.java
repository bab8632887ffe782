package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.GEMMA_MAX_MATRICES;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Weight matrices `[out_i, in]` that read the same input and whose outputs stand side by side: query, key and value,
/// or one matrix alone. Where they are of one format and stride, or all of blocks, one pass can stream
/// them all.
public final class Projection {
    private final List<WeightMatrix> parts;
    private final boolean uniform;
    private final int rows;
    private final MemorySegment partPointers;
    private final MemorySegment partRows;
    private final @Nullable MemorySegment partTypes;
    private final @Nullable MemorySegment partKinds;
    private final MemorySegment partStrides;

    /// Throws `IllegalArgumentException` if there is no part or the parts differ in columns.
    ///
    /// @param arena owns the small table of addresses that the shim reads
    public Projection(Arena arena, List<? extends WeightMatrix> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("projection: got no matrix, need at least one");
        }
        WeightMatrix first = parts.getFirst();
        for (WeightMatrix part : parts) {
            if (part.cols() != first.cols()) {
                throw new IllegalArgumentException(
                        "projection: got %s beside %s, need the same columns".formatted(part.shape(), first.shape()));
            }
        }
        this.parts = List.copyOf(parts);
        uniform = parts.stream().allMatch(part -> alike(part, first));
        rows = parts.stream().mapToInt(WeightMatrix::rows).reduce(0, Math::addExact);
        partPointers = arena.allocate(ValueLayout.ADDRESS, parts.size());
        partRows = arena.allocate(ValueLayout.JAVA_LONG, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            partPointers.setAtIndex(ValueLayout.ADDRESS, i, address(parts.get(i)));
            partRows.setAtIndex(ValueLayout.JAVA_LONG, i, parts.get(i).rows());
        }
        partTypes = partTypes(arena, parts);
        partKinds = partKinds(arena, parts);
        partStrides = arena.allocate(ValueLayout.JAVA_LONG, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            partStrides.setAtIndex(ValueLayout.JAVA_LONG, i, StoredMatmul.stride(parts.get(i)));
        }
    }

    private static @Nullable MemorySegment partKinds(Arena arena, List<? extends WeightMatrix> parts) {
        if (parts.size() > GEMMA_MAX_MATRICES() || !parts.stream().allMatch(StoredMatmul::takes)) {
            return null;
        }
        MemorySegment kinds = arena.allocate(ValueLayout.JAVA_INT, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            kinds.setAtIndex(ValueLayout.JAVA_INT, i, StoredMatmul.kind(parts.get(i)));
        }
        return kinds;
    }

    private static @Nullable MemorySegment partTypes(Arena arena, List<? extends WeightMatrix> parts) {
        MemorySegment types = arena.allocate(ValueLayout.JAVA_INT, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            if (!(parts.get(i) instanceof BlockMatrix blocks)) {
                return null;
            }
            types.setAtIndex(ValueLayout.JAVA_INT, i, blocks.blockType().number());
        }
        return types;
    }

    /// The matrices, in the order of their outputs.
    public List<WeightMatrix> parts() {
        return parts;
    }

    /// The projection with what `change` makes of each matrix.
    ///
    /// @param arena owns its table of addresses
    public Projection map(Arena arena, UnaryOperator<WeightMatrix> change) {
        return new Projection(arena, parts.stream().map(change).toList());
    }

    /// Columns of the output: the sum of the parts' rows.
    public int rows() {
        return rows;
    }

    /// Columns of the input.
    public int cols() {
        return parts.getFirst().cols();
    }

    /// Whether all parts are of one format and as far from row to row: the first tells what holds for all.
    public boolean isUniform() {
        return uniform;
    }

    /// One of them.
    WeightMatrix first() {
        return parts.getFirst();
    }

    /// The parts' addresses, as the shim takes them.
    MemorySegment partPointers() {
        return partPointers;
    }

    /// The parts' rows as int64, as the shim takes them.
    MemorySegment partRows() {
        return partRows;
    }

    /// The parts' block types as int32, as the shim takes them; null unless all parts are blocks.
    @Nullable
    MemorySegment partTypes() {
        return partTypes;
    }

    /// The parts' kinds of weights as int32, as the shim's products of tiles take them; null if one of them is of
    /// none, or there are too many.
    @Nullable
    MemorySegment partKinds() {
        return partKinds;
    }

    /// The parts' strides as int64, 0 where there are none.
    MemorySegment partStrides() {
        return partStrides;
    }

    /// Whether one pass can stream both: the same format and columns, and rows as far apart.
    static boolean alike(WeightMatrix one, WeightMatrix other) {
        boolean sameRows = switch (one) {
            case Matrix dense -> other instanceof Matrix that && that.stride() == dense.stride();
            case PackedMatrix _ -> other instanceof PackedMatrix;
            case BlockMatrix _ -> other instanceof BlockMatrix;
        };
        return sameRows && one.format().equals(other.format()) && one.cols() == other.cols();
    }

    /// Where the weights lie.
    static MemorySegment address(WeightMatrix part) {
        return switch (part) {
            case Matrix dense -> dense.data();
            case PackedMatrix packed -> packed.panels();
            case BlockMatrix stored -> stored.blocks();
        };
    }
}
