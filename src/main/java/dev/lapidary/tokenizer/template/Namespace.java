package dev.lapidary.tokenizer.template;

import java.util.Map;

/// What `namespace()` gives: attributes that a loop's body can set for those after it. Equal only to itself: it may
/// hold itself.
final class Namespace {
    private final Map<String, Object> attributes;

    Namespace(Map<String, Object> attributes) {
        this.attributes = attributes;
    }

    Map<String, Object> attributes() {
        return attributes;
    }
}
