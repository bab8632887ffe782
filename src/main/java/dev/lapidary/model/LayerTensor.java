package dev.lapidary.model;

/// What a decoder layer keeps in a checkpoint, by its place in the forward pass.
enum LayerTensor {
    PRE_ATTENTION_NORM,
    QUERY,
    KEY,
    VALUE,
    QUERY_NORM,
    KEY_NORM,
    ATTENTION_OUTPUT,
    POST_ATTENTION_NORM,
    PRE_FEED_FORWARD_NORM,
    GATE,
    UP,
    DOWN,
    POST_FEED_FORWARD_NORM
}
