package dev.lapidary.tokenizer.template;

import java.util.List;
import java.util.Map;

/// What can be called.
interface Function {
    Object call(List<Object> positional, Map<String, Object> named, int line);
}
