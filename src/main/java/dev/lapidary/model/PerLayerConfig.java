package dev.lapidary.model;

/// Embeddings per layer: each token gives each layer a small vector of its own, out of a second table.
///
/// @param vocab rows of the table
/// @param width of a layer's vector; a row of the table holds one for each layer
public record PerLayerConfig(int vocab, int width) {
    /// Throws `IllegalArgumentException` unless both are positive.
    public PerLayerConfig {
        if (vocab < 1 || width < 1) {
            throw new IllegalArgumentException(
                    "per-layer embedding: got [%d, layers * %d], need both positive".formatted(vocab, width));
        }
    }
}
