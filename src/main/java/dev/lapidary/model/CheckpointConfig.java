package dev.lapidary.model;

import dev.lapidary.checkpoint.Checkpoint;
import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.Configuration;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.checkpoint.Tensor;
import java.util.Optional;

/// The [GemmaConfig] of a checkpoint, whatever its format.
final class CheckpointConfig {
    private static final String TOKENS = "tokenizer.ggml.tokens";

    private CheckpointConfig() {}

    /// @throws CheckpointException naming the file and key that is missing, unknown or not implemented
    static GemmaConfig read(Checkpoint checkpoint) throws CheckpointException {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace json -> HuggingFaceConfig.read(json.config(), json.generationConfig());
            case Configuration.Gguf gguf -> read(gguf.metadata(), checkpoint);
        };
    }

    /// The encoder beside the text model, if there is one.
    ///
    /// @throws CheckpointException as for [#read(Checkpoint)]
    static Optional<GemmaConfig> readEncoder(Checkpoint checkpoint) throws CheckpointException {
        return switch (checkpoint.configuration()) {
            case Configuration.HuggingFace json -> HuggingFaceConfig.readEncoder(json.config());
            case Configuration.Gguf _ -> Optional.empty();
        };
    }

    /// GGUF need not tell the vocabulary's size: it is that of the embedding table. Where the table is missing or
    /// misshapen, which the reader of weights then says, any will do.
    private static GemmaConfig read(GgufMetadata metadata, Checkpoint checkpoint) throws CheckpointException {
        Tensor table = checkpoint.tensors().get(new GgufNames().embedding());
        if (table == null || table.shape().size() != 2) {
            return GgufConfig.read(metadata, 1);
        }
        int rows = Math.clamp(table.shape().getFirst(), 1, Integer.MAX_VALUE);
        if (metadata.arrayLength(TOKENS) > rows) {
            throw metadata.problem(TOKENS, "at most the %d that %s has rows for".formatted(rows, table.name()));
        }
        return GgufConfig.read(metadata, rows);
    }
}
