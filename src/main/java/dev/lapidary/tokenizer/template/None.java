package dev.lapidary.tokenizer.template;

/// The value `none`.
public enum None {
    NONE
}
