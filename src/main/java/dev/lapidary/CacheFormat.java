package dev.lapidary;

/// How the keys and values of sessions are held.
public enum CacheFormat {
    /// 32 bits, as they are computed.
    F32,
    /// Rounded to the upper half of an F32: half the memory, and half the reading in long sessions.
    BF16
}
