package dev.lapidary.checkpoint;

import dev.lapidary.kernels.DataType;
import java.util.List;

/// A tensor to be written: all but its values.
///
/// @param shape row-major; empty for a scalar
public record TensorSpec(String name, DataType type, List<Long> shape) {

    public TensorSpec {
        shape = List.copyOf(shape);
        try {
            StoredType.valueOf(type.name()).bytes(shape);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "shape: got %s, need extents >= 0 whose bytes fit 64 bits".formatted(shape), e);
        }
    }

    /// Bytes of all elements.
    public long bytes() {
        return StoredType.valueOf(type.name()).bytes(shape);
    }
}
