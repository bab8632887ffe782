package dev.lapidary.model;

/// Which keys a layer's attention sees, if it has one.
public enum AttentionType {
    /// The last `window` positions, the query's own included.
    LOCAL,
    /// Every position up to the query's own.
    GLOBAL,
    /// None: a recurrent block stands in its place, and a state of constant size in that of keys and values.
    RECURRENT
}
