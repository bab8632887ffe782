package dev.lapidary.checkpoint;

import java.util.List;

/// A tensor to be written to a GGUF file: all but its values.
///
/// @param shape row-major
public record GgufTensorSpec(String name, GgmlType type, List<Long> shape) {

    /// Throws `IllegalArgumentException` for a shape that the type cannot have.
    public GgufTensorSpec {
        shape = List.copyOf(shape);
        try {
            type.bytes(shape);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException(
                    "shape: got %s %s, need extents >= 0, whole blocks and bytes that fit 64 bits"
                            .formatted(type, shape),
                    e);
        }
    }

    /// Bytes of all elements.
    public long bytes() {
        return type.bytes(shape);
    }
}
