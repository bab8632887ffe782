package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.Tensor;
import java.util.List;

/// The [GemmaConfig] of a checkpoint, whatever its format.
final class CheckpointConfig {
    private CheckpointConfig() {}

    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static GemmaConfig read(Checkpoint checkpoint) throws CheckpointException {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace json -> HuggingFaceConfig.read(json.config(), json.generationConfig());
            case Configuration.Gguf gguf -> GgufConfig.read(gguf.metadata(), vocab(checkpoint));
        };
    }

    /// GGUF need not tell the vocabulary's size: it is that of the embedding table. 1 where the table is missing or
    /// misshapen, which the reader of weights then says.
    private static int vocab(Checkpoint checkpoint) {
        Tensor table = checkpoint.tensors().get(new GgufNames().embedding());
        List<Long> shape = table == null ? List.of() : table.shape();
        return shape.size() == 2 ? Math.clamp(shape.getFirst(), 1, Integer.MAX_VALUE) : 1;
    }
}
