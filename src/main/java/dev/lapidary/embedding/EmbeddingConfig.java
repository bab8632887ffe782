package dev.lapidary.embedding;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// What an embedding model does with the hidden states of a text, after the mean over all its tokens.
///
/// @param maxTokens     most tokens of a text, bos and eos included
/// @param dense         layers without bias or activation, in their order
/// @param normalised    whether embeddings have length 1
/// @param prompts       what is put in front of texts, by the name of their use
/// @param defaultPrompt name of the one that texts get without asking; empty for none
public record EmbeddingConfig(
        int maxTokens,
        List<Dense> dense,
        boolean normalised,
        SequencedMap<String, String> prompts,
        String defaultPrompt) {
    /// Throws `IllegalArgumentException` naming what does not fit.
    public EmbeddingConfig {
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_seq_length: got %d, need at least 1".formatted(maxTokens));
        }
        dense = List.copyOf(dense);
        prompts = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(prompts));
    }

    /// A linear layer.
    ///
    /// @param file       where its one tensor is; null where it is among the text model's
    /// @param tensor     name of its weights
    /// @param inputs     width of what goes in
    /// @param dimensions width of what comes out
    public record Dense(@Nullable Path file, String tensor, int inputs, int dimensions) {}

    /// Width of an embedding.
    ///
    /// @param embedding width of the text model
    int dimensions(int embedding) {
        return dense.isEmpty() ? embedding : dense.getLast().dimensions();
    }
}
