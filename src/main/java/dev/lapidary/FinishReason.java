package dev.lapidary;

/// Why a generation ended.
public enum FinishReason {
    /// The model gave a stop token, or the text reached a stop string.
    STOP,
    /// As many tokens as were asked for.
    MAX_TOKENS,
    /// The session holds no more.
    CAPACITY,
    /// [Session#cancel], an interrupt, or a closed stream.
    CANCELLED
}
