package dev.lapidary.checkpoint;

import dev.lapidary.kernels.DataType;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/// One tensor of a checkpoint, borrowed from the [Checkpoint] (or arena) that mapped it.
///
/// @param name as the file spells it
/// @param storedType type as the file spells it (`BF16`, `I64`, ...): any that the format knows, so that a listing is
///     complete; [#type()] says whether it can be computed with
/// @param shape row-major; empty for a scalar
/// @param data the elements, little-endian, read-only, aligned for their type
/// @param file the file (shard) it lies in, for messages
public record Tensor(String name, String storedType, List<Long> shape, MemorySegment data, Path file) {

    public Tensor {
        shape = List.copyOf(shape);
    }

    /// The type the kernels read it as; throws [CheckpointException] if there is none.
    public DataType type() throws CheckpointException {
        for (DataType type : DataType.values()) {
            if (type.name().equals(storedType)) {
                return type;
            }
        }
        throw new CheckpointException("%s: %s is %s %s, need a type of %s"
                .formatted(file, name, storedType, shape, Arrays.toString(DataType.values())));
    }
}
