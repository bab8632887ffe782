package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What values mean, as in Python: [Text], `Long`, `Double`, `Boolean`, [None], [Undefined], `List`, `Map` with texts
/// for keys, [Namespace] and [Function].
final class Values {
    private static final int MOST_COMPARED = 100_000;
    private static final int DEEPEST_COMPARED = 100;
    private static final int MOST_LETTERS = 1 << 18;

    private Values() {}

    /// Whether a value can be a key of a mapping.
    static boolean isKey(Object value) {
        return !(value instanceof List || value instanceof Map);
    }

    /// A value of Java's as one of a template's. Strings are somebody else's words; keys are not.
    static Object of(@Nullable Object value) {
        return switch (value) {
            case null -> None.NONE;
            case String string -> Text.of(string, Text.PLAIN);
            case Integer number -> Long.valueOf(number);
            case List<?> list -> {
                List<Object> items = new ArrayList<>();
                list.forEach(item -> items.add(of(item)));
                yield items;
            }
            case Map<?, ?> map -> {
                Map<Object, Object> entries = new LinkedHashMap<>();
                map.forEach((key, entry) -> entries.put(Text.own(String.valueOf(key)), of(entry)));
                yield entries;
            }
            default -> value;
        };
    }

    static boolean isTrue(Object value) {
        return switch (value) {
            case Boolean bool -> bool;
            case Long number -> number != 0;
            case Double number -> number != 0;
            case Text text -> text.length() > 0;
            case List<?> list -> !list.isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            case None _, Undefined _ -> false;
            default -> true;
        };
    }

    /// Whether two values are equal, numbers and truth values by what they count.
    static boolean areEqual(Object one, Object other, int line) {
        return areEqual(one, other, new int[] {MOST_COMPARED}, DEEPEST_COMPARED, line);
    }

    /// @param left values that may still be compared: a small template can build large ones out of one another
    private static boolean areEqual(Object one, Object other, int[] left, int depth, int line) {
        if (--left[0] < 0 || depth == 0) {
            throw new TemplateException(line, "==: got values too large or too deep to compare");
        }
        Double a = number(one);
        Double b = number(other);
        if (a != null && b != null) {
            return a.doubleValue() == b.doubleValue();
        }
        if (one instanceof List<?> items && other instanceof List<?> others) {
            boolean equal = items.size() == others.size();
            for (int i = 0; equal && i < items.size(); i++) {
                equal = areEqual(items.get(i), others.get(i), left, depth - 1, line);
            }
            return equal;
        }
        if (one instanceof Map<?, ?> map && other instanceof Map<?, ?> second) {
            boolean equal = map.size() == second.size();
            for (Map.Entry<?, ?> entry : map.entrySet()) {
                Object value = second.get(entry.getKey());
                equal = equal && value != null && areEqual(entry.getValue(), value, left, depth - 1, line);
            }
            return equal;
        }
        boolean structured = one instanceof List || one instanceof Map || other instanceof List || other instanceof Map;
        return !structured && (one.equals(other) || (one instanceof Undefined && other instanceof Undefined));
    }

    /// A number, also for a truth value; null for others.
    static @Nullable Double number(Object value) {
        return switch (value) {
            case Long number -> number.doubleValue();
            case Double number -> number;
            case Boolean bool -> bool ? 1.0 : 0.0;
            default -> null;
        };
    }

    static int compare(Object left, Object right, int line) {
        Double a = number(left);
        Double b = number(right);
        if (a != null && b != null) {
            return Double.compare(a, b);
        }
        if (left instanceof Text one && right instanceof Text other) {
            return one.chars().compareTo(other.chars());
        }
        throw new TemplateException(line, "cannot compare %s and %s".formatted(kind(left), kind(right)));
    }

    static boolean contains(Object container, Object value, int line) {
        return switch (container) {
            case Text text when value instanceof Text part -> text.chars().contains(part.chars());
            case List<?> list -> list.stream().anyMatch(item -> areEqual(item, value, line));
            case Map<?, ?> map -> isKey(value) && map.containsKey(value);
            case Undefined _ -> false;
            default ->
                throw new TemplateException(line, "cannot look for %s in %s".formatted(kind(value), kind(container)));
        };
    }

    static long length(Object value, int line) {
        return switch (value) {
            case Text text -> text.chars().codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Map<?, ?> map -> map.size();
            case Undefined _ -> 0;
            default -> throw new TemplateException(line, kind(value) + " has no length");
        };
    }

    /// The items of what can be gone over: of a map its keys, of a text its characters.
    static List<?> items(Object value, int line) {
        return switch (value) {
            case List<?> list -> list;
            case Map<?, ?> map -> new ArrayList<>(map.keySet());
            case Undefined _ -> List.of();
            case Text text -> {
                if (text.length() > MOST_LETTERS) {
                    throw new TemplateException(
                            line, "cannot go over %d letters, need at most %d".formatted(text.length(), MOST_LETTERS));
                }
                List<Object> characters = new ArrayList<>();
                for (int at = 0; at < text.length(); ) {
                    int next = at + Character.charCount(text.chars().codePointAt(at));
                    characters.add(text.cut(at, next));
                    at = next;
                }
                yield characters;
            }
            default -> throw new TemplateException(line, "cannot go over " + kind(value));
        };
    }

    /// As a template prints it.
    static Text text(Object value, int line) {
        return switch (value) {
            case Text text -> text;
            case Undefined _ -> Text.EMPTY;
            case Boolean bool -> Text.own(bool ? "True" : "False");
            case Long number -> Text.own(number.toString());
            case Double number -> Text.own(number.toString());
            case None _ -> Text.own("None");
            default -> throw new TemplateException(line, "cannot print %s; tojson can".formatted(kind(value)));
        };
    }

    static String string(Object value, String what, int line) {
        if (value instanceof Text text) {
            return text.chars();
        }
        throw new TemplateException(line, "%s: got %s, need a string".formatted(what, kind(value)));
    }

    static long integer(Object value, String what, int line) {
        if (value instanceof Long number) {
            return number;
        }
        throw new TemplateException(line, "%s: got %s, need an integer".formatted(what, kind(value)));
    }

    /// For messages.
    static String kind(Object value) {
        return switch (value) {
            case Text _ -> "a string";
            case Boolean bool -> bool.toString();
            case Long number -> "the number " + number;
            case Double number -> "the number " + number;
            case None _ -> "none";
            case Undefined undefined -> "\"%s\", which is undefined".formatted(undefined.name());
            case List<?> _ -> "a list";
            case Map<?, ?> _ -> "a mapping";
            case Namespace _ -> "a namespace";
            default -> "a function";
        };
    }
}
