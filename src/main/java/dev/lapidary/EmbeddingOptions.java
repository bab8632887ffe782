package dev.lapidary;

/// How texts become vectors. Immutable: each `with` method gives a changed copy.
///
/// @param promptName name of the prompt that is put in front of every text; empty for the one the model has for texts
///                   of no named use, if it has one
/// @param dimensions how many of each vector, its first ones, then made of length 1 again; 0 for all
/// @param truncates  whether a text longer than the model reads loses its end, as the reference has it; else it is
///                   refused
public record EmbeddingOptions(String promptName, int dimensions, boolean truncates) {
    /// Throws `IllegalArgumentException` naming the option that is out of range.
    public EmbeddingOptions {
        if (dimensions < 0) {
            throw new IllegalArgumentException(
                    "dimensions: got %d, need 1 or more, or 0 for all".formatted(dimensions));
        }
    }

    /// No prompt by name, all dimensions, texts that are too long refused.
    public static EmbeddingOptions defaults() {
        return new EmbeddingOptions("", 0, false);
    }

    /// This with a prompt of the model's, such as `query` or `document`.
    public EmbeddingOptions withPrompt(String name) {
        return new EmbeddingOptions(name, dimensions, truncates);
    }

    /// This with another number of dimensions. EmbeddingGemma was trained for 768, 512, 256 and 128.
    public EmbeddingOptions withDimensions(int count) {
        return new EmbeddingOptions(promptName, count, truncates);
    }

    /// This with texts that are too long cut, or refused.
    public EmbeddingOptions withTruncation(boolean cut) {
        return new EmbeddingOptions(promptName, dimensions, cut);
    }
}
