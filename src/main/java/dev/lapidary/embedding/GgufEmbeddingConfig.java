package dev.lapidary.embedding;

import dev.lapidary.checkpoint.CheckpointException;
import dev.lapidary.checkpoint.GgufMetadata;
import dev.lapidary.embedding.EmbeddingConfig.Dense;
import java.util.LinkedHashMap;
import java.util.List;

/// Reads what a GGUF file says of the modules behind its text model. It has no prompts.
///
/// Source: llama.cpp, `conversion/gemma.py` for what is written and `src/models/gemma-embedding.cpp` for what is
/// assumed.
final class GgufEmbeddingConfig {
    private static final int MEAN = 1;

    private GgufEmbeddingConfig() {}

    /// @param architecture what its keys begin with
    /// @param embedding    width of the text model
    /// @param maxPositions positions that the text model was made for
    /// @throws CheckpointException naming the key that is missing or not implemented
    static EmbeddingConfig read(GgufMetadata metadata, String architecture, int embedding, int maxPositions)
            throws CheckpointException {
        String pooling = architecture + ".pooling_type";
        if (metadata.intValue(pooling) != MEAN) {
            throw metadata.problem(pooling, "%d, the mean".formatted(MEAN));
        }
        Dense first = dense(metadata, architecture, "dense_2", embedding);
        Dense second = dense(metadata, architecture, "dense_3", first.dimensions());
        return new EmbeddingConfig(maxPositions, List.of(first, second), true, new LinkedHashMap<>(), "");
    }

    private static Dense dense(GgufMetadata metadata, String architecture, String name, int inputs)
            throws CheckpointException {
        String key = "%s.%s_feat_".formatted(architecture, name);
        if (!metadata.has(key + "out")) {
            throw metadata.problem(
                    key + "out", "the dense layers: a file converted with --sentence-transformers-dense-modules");
        }
        if (metadata.intValue(key + "in") != inputs) {
            throw metadata.problem(key + "in", "%d, the width of what comes in".formatted(inputs));
        }
        int dimensions = metadata.intValue(key + "out");
        if (dimensions < 1) {
            throw metadata.problem(key + "out", "at least 1");
        }
        return new Dense(null, name + ".weight", inputs, dimensions);
    }
}
