package dev.lapidary;

/// Sees embeddings as soon as they are computed.
@FunctionalInterface
public interface EmbeddingConsumer {
    /// Takes one embedding.
    ///
    /// @param index     of the text
    /// @param embedding its vector, the consumer's to keep
    void accept(int index, float[] embedding);
}
