package dev.lapidary.tokenizer.template;

/// What a name stands for that nobody has set: nothing to print, false, and empty; not to be called or looked into.
record Undefined(String name) {}
