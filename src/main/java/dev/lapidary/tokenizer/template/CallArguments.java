package dev.lapidary.tokenizer.template;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The arguments of one call of a function, filter, test or method, by place or name.
///
/// @param what names the callee in messages
record CallArguments(String what, List<Object> positional, Map<String, Object> named, int line) {
    /// Refuses arguments beyond these parameters.
    CallArguments allow(String... parameters) {
        if (positional.size() > parameters.length) {
            throw new TemplateException(
                    line,
                    "%s: got %d arguments, need at most %d".formatted(what, positional.size(), parameters.length));
        }
        for (String name : named.keySet()) {
            if (!List.of(parameters).contains(name)) {
                throw new TemplateException(line, "%s: the argument \"%s\" is not known".formatted(what, name));
            }
        }
        return this;
    }

    @Nullable
    Object get(int place, String name) {
        return place < positional.size() ? positional.get(place) : named.get(name);
    }

    Object get(int place, String name, Object otherwise) {
        Object value = get(place, name);
        return value == null ? otherwise : value;
    }

    Object need(int place, String name) {
        Object value = get(place, name);
        if (value == null) {
            throw new TemplateException(line, "%s: needs the argument \"%s\"".formatted(what, name));
        }
        return value;
    }

    Text needText(int place, String name) {
        Object value = need(place, name);
        if (value instanceof Text text) {
            return text;
        }
        throw new TemplateException(line, "%s: %s: got %s, need a string".formatted(what, name, Values.kind(value)));
    }

    long integer(int place, String name, long otherwise) {
        Object value = get(place, name);
        return value == null ? otherwise : Values.integer(value, what + ": " + name, line);
    }
}
