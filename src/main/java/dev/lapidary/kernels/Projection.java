package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Weight matrices `[out_i, in]` that read the same input and whose outputs stand side by side: query, key and value,
/// or one matrix alone. All of one format, columns and stride, so that one pass can stream them all.
public final class Projection {
    private final List<WeightMatrix> parts;
    private final int rows;
    private final MemorySegment partPointers;
    private final MemorySegment partRows;

    /// Throws `IllegalArgumentException` if there is no part or the parts differ in columns, stride or format.
    ///
    /// @param arena owns the small table of addresses that the shim reads
    public Projection(Arena arena, List<? extends WeightMatrix> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("projection: got no matrix, need at least one");
        }
        WeightMatrix first = parts.getFirst();
        for (WeightMatrix part : parts) {
            if (!alike(part, first)) {
                throw new IllegalArgumentException("projection: got %s beside %s, need the same type and columns"
                        .formatted(part.shape(), first.shape()));
            }
        }
        this.parts = List.copyOf(parts);
        rows = parts.stream().mapToInt(WeightMatrix::rows).reduce(0, Math::addExact);
        partPointers = arena.allocate(ValueLayout.ADDRESS, parts.size());
        partRows = arena.allocate(ValueLayout.JAVA_LONG, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            partPointers.setAtIndex(ValueLayout.ADDRESS, i, address(parts.get(i)));
            partRows.setAtIndex(ValueLayout.JAVA_LONG, i, parts.get(i).rows());
        }
    }

    /// The matrices, in the order of their outputs.
    public List<WeightMatrix> parts() {
        return parts;
    }

    /// Columns of the output: the sum of the parts' rows.
    public int rows() {
        return rows;
    }

    /// Columns of the input.
    public int cols() {
        return parts.getFirst().cols();
    }

    /// One of them, which tells what holds for all.
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

    /// Whether one pass can stream both: the same format and columns, and rows as far apart.
    static boolean alike(WeightMatrix one, WeightMatrix other) {
        boolean sameRows = switch (one) {
            case Matrix dense -> other instanceof Matrix that && that.stride() == dense.stride();
            case PackedMatrix _ -> other instanceof PackedMatrix;
        };
        return sameRows && one.format().equals(other.format()) && one.cols() == other.cols();
    }

    private static MemorySegment address(WeightMatrix part) {
        return switch (part) {
            case Matrix dense -> dense.data();
            case PackedMatrix packed -> packed.panels();
        };
    }
}
