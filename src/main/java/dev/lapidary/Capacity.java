package dev.lapidary;

/// How many tokens a session can hold, prompt and answer together.
///
/// @param tokens positions of the KV cache
public record Capacity(int tokens) {
    /// Throws `IllegalArgumentException` unless positive.
    public Capacity {
        if (tokens < 1) {
            throw new IllegalArgumentException("capacity: got %d tokens, need at least 1".formatted(tokens));
        }
    }

    /// Room for this many tokens.
    public static Capacity tokens(int tokens) {
        return new Capacity(tokens);
    }
}
