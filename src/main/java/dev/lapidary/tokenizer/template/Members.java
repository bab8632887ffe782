package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What is inside a value: attributes, items, slices.
final class Members {
    private Members() {}

    /// `object.name`: an entry of a mapping, an attribute, or undefined. Methods are only for calls.
    static Object attribute(Object object, String name, int line) {
        return switch (object) {
            case Map<?, ?> map -> entry(map, Text.own(name), name);
            case Namespace namespace -> or(namespace.attributes().get(name), name);
            case Undefined _ ->
                throw new TemplateException(
                        line, "got %s, need a value with \"%s\"".formatted(Values.kind(object), name));
            default -> new Undefined(name);
        };
    }

    /// `object[key]`.
    static Object item(Object object, Object key, int line) {
        return switch (object) {
            case Map<?, ?> map when Values.isKey(key) -> entry(map, key, key.toString());
            case List<?> list when key instanceof Long index -> at(list, index);
            case Text text when key instanceof Long index -> at(Values.items(text, line), index);
            case Namespace _ when key instanceof Text name -> attribute(object, name.chars(), line);
            case Undefined _ ->
                throw new TemplateException(line, "got %s, need a value with items".formatted(Values.kind(object)));
            default -> new Undefined("that item");
        };
    }

    /// `object[from:to:step]`, of a list or a text.
    static Object slice(Object object, @Nullable Object from, @Nullable Object to, @Nullable Object step, int line) {
        if (object instanceof Text text && step == null) {
            return cut(text, from, to, line);
        }
        List<?> items = Values.items(object, line);
        if (object instanceof Map) {
            throw new TemplateException(line, "cannot slice a mapping");
        }
        long by = step == null || step instanceof None ? 1 : Values.integer(step, "slice", line);
        if (by == 0) {
            throw new TemplateException(line, "slice: got the step 0");
        }
        int count = items.size();
        long first = bound(from, by > 0 ? 0 : count - 1L, by > 0 ? 0 : -1, by > 0 ? count : count - 1L, count, line);
        long end = bound(to, by > 0 ? count : -1, by > 0 ? 0 : -1, by > 0 ? count : count - 1L, count, line);
        List<Object> sliced = new ArrayList<>();
        for (long at = first; by > 0 ? at < end : at > end; at += by) {
            sliced.add(items.get((int) at));
        }
        if (!(object instanceof Text)) {
            return sliced;
        }
        Text.Builder text = new Text.Builder();
        sliced.forEach(one -> text.add((Text) one));
        return text.text();
    }

    private static Text cut(Text text, @Nullable Object from, @Nullable Object to, int line) {
        int count = (int) Values.length(text, line);
        int first = (int) bound(from, 0, 0, count, count, line);
        int end = (int) Math.max(first, bound(to, count, 0, count, count, line));
        String chars = text.chars();
        int start = chars.offsetByCodePoints(0, first);
        return text.cut(start, chars.offsetByCodePoints(start, end - first));
    }

    private static long bound(@Nullable Object given, long usual, long least, long most, int count, int line) {
        if (given == null || given instanceof None) {
            return usual;
        }
        long place = Values.integer(given, "slice", line);
        return Math.clamp(place < 0 ? place + count : place, least, most);
    }

    private static Object at(List<?> list, long index) {
        long place = index < 0 ? index + list.size() : index;
        return place >= 0 && place < list.size() ? list.get((int) place) : new Undefined("item " + index);
    }

    private static Object entry(Map<?, ?> map, Object key, String name) {
        return or(map.get(key), name);
    }

    private static Object or(@Nullable Object value, String name) {
        return value == null ? new Undefined(name) : value;
    }
}
