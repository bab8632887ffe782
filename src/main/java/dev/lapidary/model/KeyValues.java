package dev.lapidary.model;

/// Where the keys and values of an attention layer come from.
///
/// @param source      the earlier layer whose keys and values it reads, [#OWN] if it has its own
/// @param valueIsKey  whether one projection gives both: values are keys before their norm and rotation
/// @param valueNorm   whether values get an RMSNorm per head, without a weight
public record KeyValues(int source, boolean valueIsKey, boolean valueNorm) {
    /// Says that a layer computes keys and values itself.
    static final int OWN = -1;

    /// A projection each, and nothing done to values.
    public static final KeyValues PROJECTED = new KeyValues(OWN, false, false);

    /// Throws `IllegalArgumentException` if there is no such layer.
    public KeyValues {
        if (source < OWN) {
            throw new IllegalArgumentException("source: got layer %d, need 0 or more, or %d".formatted(source, OWN));
        }
    }

    /// Whether they are another layer's.
    public boolean isShared() {
        return source != OWN;
    }

    /// Projections that give keys and values.
    int projections() {
        return isShared() ? 0 : valueIsKey ? 1 : 2;
    }
}
