package dev.lapidary.checkpoint;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/// Finds tensors by name and shape, and knows in the end which ones nobody asked for.
public final class TensorReader {
    private static final int LISTED = 5;

    private final Checkpoint checkpoint;
    private final Set<String> read = new HashSet<>();

    /// Reads from `checkpoint`, which stays the caller's.
    public TensorReader(Checkpoint checkpoint) {
        this.checkpoint = checkpoint;
    }

    /// The tensor of that name.
    ///
    /// @throws CheckpointException naming it, if it is missing or of another shape
    public Tensor tensor(String name, List<Long> shape) throws CheckpointException {
        Tensor tensor = checkpoint.tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(
                    "%s: tensor %s is missing, need it with shape %s".formatted(checkpoint.path(), name, shape));
        }
        if (!tensor.shape().equals(shape)) {
            throw new CheckpointException("%s: %s is %s %s, need shape %s"
                    .formatted(tensor.file(), name, tensor.storedType(), tensor.shape(), shape));
        }
        read.add(name);
        return tensor;
    }

    /// Refuses tensors that nobody has read.
    ///
    /// @param own   whether a name belongs to what was read
    /// @param owner what was read, in messages: `gemma2 model with 26 layers`
    /// @throws CheckpointException naming some of them
    public void refuseLeftOver(Predicate<String> own, String owner) throws CheckpointException {
        List<String> leftOver = checkpoint.tensors().keySet().stream()
                .filter(own)
                .filter(name -> !read.contains(name))
                .sorted()
                .toList();
        if (!leftOver.isEmpty()) {
            throw new CheckpointException("%s: got %d tensors that a %s does not have: %s%s"
                    .formatted(
                            checkpoint.path(),
                            leftOver.size(),
                            owner,
                            String.join(", ", leftOver.subList(0, Math.min(LISTED, leftOver.size()))),
                            leftOver.size() > LISTED ? ", ..." : ""));
        }
    }
}
