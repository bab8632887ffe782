package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/// Weight matrices `[out_i, in]` that read the same input and whose outputs stand side by side: query, key and value,
/// or one matrix alone. All of one type, columns and stride, so that one pass can stream them all.
public final class Projection {
    private final List<Matrix> parts;
    private final int rows;
    private final MemorySegment partPointers;
    private final MemorySegment partRows;

    /// Throws `IllegalArgumentException` if there is no part or the parts differ in columns, stride or type.
    ///
    /// @param arena owns the small table of addresses that the shim reads
    public Projection(Arena arena, List<Matrix> parts) {
        if (parts.isEmpty()) {
            throw new IllegalArgumentException("projection: got no matrix, need at least one");
        }
        Matrix first = parts.getFirst();
        for (Matrix part : parts) {
            if (part.cols() != first.cols() || part.type() != first.type() || part.stride() != first.stride()) {
                throw new IllegalArgumentException("projection: got %s beside %s, need the same type and columns"
                        .formatted(part.shape(), first.shape()));
            }
        }
        this.parts = List.copyOf(parts);
        rows = parts.stream().mapToInt(Matrix::rows).reduce(0, Math::addExact);
        partPointers = arena.allocate(ValueLayout.ADDRESS, parts.size());
        partRows = arena.allocate(ValueLayout.JAVA_LONG, parts.size());
        for (int i = 0; i < parts.size(); i++) {
            partPointers.setAtIndex(ValueLayout.ADDRESS, i, parts.get(i).data());
            partRows.setAtIndex(ValueLayout.JAVA_LONG, i, parts.get(i).rows());
        }
    }

    /// The matrices, in the order of their outputs.
    public List<Matrix> parts() {
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

    /// How the weights are stored.
    public DataType type() {
        return parts.getFirst().type();
    }

    /// The parts' addresses, as the shim takes them.
    MemorySegment partPointers() {
        return partPointers;
    }

    /// The parts' rows as int64, as the shim takes them.
    MemorySegment partRows() {
        return partRows;
    }
}
