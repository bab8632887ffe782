package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/// Python's methods of strings and dictionaries.
final class Methods {
    private Methods() {}

    /// @throws TemplateException if that value has no such method
    static Object call(Object object, String name, CallArguments call) {
        return switch (object) {
            case Text text -> ofText(text, name, call);
            case Map<?, ?> map -> ofMap(map, name, call);
            default ->
                throw new TemplateException(
                        call.line(), "%s has no method \"%s\"".formatted(Values.kind(object), name));
        };
    }

    private static Object ofText(Text text, String name, CallArguments call) {
        return switch (name) {
            case "strip" -> text.strip(true, true, unwanted(call));
            case "lstrip" -> text.strip(true, false, unwanted(call));
            case "rstrip" -> text.strip(false, true, unwanted(call));
            case "upper" -> text.upper();
            case "lower" -> text.lower();
            case "title" -> text.titled();
            case "capitalize" -> text.capitalized();
            case "startswith" -> anyPart(call, part -> text.chars().startsWith(part));
            case "endswith" -> anyPart(call, part -> text.chars().endsWith(part));
            case "find" ->
                (long) codePoints(
                        text,
                        text.chars()
                                .indexOf(call.allow("sub").needText(0, "sub").chars()));
            case "count" ->
                occurrences(text, call.allow("sub").needText(0, "sub").chars());
            case "replace" -> replace(text, call.allow("old", "new", "count"));
            case "join" -> Filters.apply("join", call.allow("iterable").need(0, "iterable"), joined(text, call));
            case "split" -> split(text, call.allow("sep", "maxsplit"));
            case "splitlines" -> {
                call.allow();
                List<Object> lines = text.split("\n", Long.MAX_VALUE);
                yield lines.getLast().equals(Text.EMPTY) ? lines.subList(0, lines.size() - 1) : lines;
            }
            default ->
                throw new TemplateException(call.line(), "the method \"%s\" of a string is not known".formatted(name));
        };
    }

    private static Object ofMap(Map<?, ?> map, String name, CallArguments call) {
        return switch (name) {
            case "get" -> {
                Object value = map.get(call.allow("key", "default").need(0, "key"));
                yield value == null ? call.get(1, "default", None.NONE) : value;
            }
            case "keys" -> List.copyOf(map.keySet());
            case "values" -> List.copyOf(map.values());
            case "items" -> Filters.apply("items", map, call);
            default ->
                throw new TemplateException(call.line(), "the method \"%s\" of a mapping is not known".formatted(name));
        };
    }

    static Text replace(Text text, CallArguments call) {
        Text old = call.needText(0, "old");
        Text fresh = call.needText(1, "new");
        long most = call.integer(2, "count", Long.MAX_VALUE);
        if (old.length() == 0) {
            throw new TemplateException(call.line(), "replace: got nothing to replace");
        }
        long bound = most < 0 ? Long.MAX_VALUE : most;
        if ((text.length() / (long) old.length() + 1) * fresh.length() > Budget.MOST_CHARACTERS) {
            throw new TemplateException(call.line(), "replace: got too many characters");
        }
        return text.replace(old, fresh, bound);
    }

    private static List<Object> split(Text text, CallArguments call) {
        Object separator = call.get(0, "sep", None.NONE);
        long most = call.integer(1, "maxsplit", -1);
        if (separator instanceof None) {
            if (most >= 0) {
                throw new TemplateException(call.line(), "split: got maxsplit without a separator");
            }
            return text.words();
        }
        String between = Values.string(separator, "split", call.line());
        if (between.isEmpty()) {
            throw new TemplateException(call.line(), "split: got an empty separator");
        }
        return new ArrayList<>(text.split(between, most < 0 ? Long.MAX_VALUE : most));
    }

    private static CallArguments joined(Text between, CallArguments call) {
        return new CallArguments("join", List.of(between), Map.of(), call.line());
    }

    private static String unwanted(CallArguments call) {
        Object chars = call.allow("chars").get(0, "chars", None.NONE);
        return chars instanceof None ? "" : Values.string(chars, call.what(), call.line());
    }

    /// One string, or a tuple of them.
    private static boolean anyPart(CallArguments call, Predicate<String> holds) {
        Object part = call.allow("prefix").need(0, "prefix");
        List<?> parts = part instanceof List<?> list ? list : List.of(part);
        return parts.stream().anyMatch(one -> holds.test(Values.string(one, call.what(), call.line())));
    }

    private static long occurrences(Text text, String part) {
        return part.isEmpty()
                ? text.length() + 1L
                : text.split(part, Long.MAX_VALUE).size() - 1L;
    }

    private static int codePoints(Text text, int place) {
        return place < 0 ? -1 : text.chars().codePointCount(0, place);
    }
}
