package dev.lapidary.model;

/// Which keys a layer's attention sees.
public enum AttentionType {
    /// The last `window` positions, the query's own included.
    LOCAL,
    /// Every position up to the query's own.
    GLOBAL
}
