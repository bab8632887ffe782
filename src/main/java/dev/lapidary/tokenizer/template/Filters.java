package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/// The filters: `value | name(arguments)`.
final class Filters {
    private Filters() {}

    /// @throws TemplateException if there is no filter of that name
    static Object apply(String name, Object value, CallArguments call) {
        return switch (name) {
            case "trim", "upper", "lower", "capitalize", "title", "replace", "string", "safe" ->
                ofText(name, value, call);
            case "default", "d" -> otherwise(value, call.allow("default_value", "boolean"));
            case "length", "count" -> {
                call.allow();
                yield Values.length(value, call.line());
            }
            case "tojson" -> {
                call.allow("indent");
                yield Text.of(
                        JsonText.of(value, Math.clamp(call.integer(0, "indent", 0), 0, 16), call.line()), Text.PLAIN);
            }
            case "int", "float", "abs" -> ofNumber(name, value, call);
            default -> ofItems(name, value, call);
        };
    }

    private static Object ofText(String name, Object value, CallArguments call) {
        Text text = Values.text(value, call.line());
        return switch (name) {
            case "trim" -> {
                Object unwanted = call.allow("chars").get(0, "chars", Text.EMPTY);
                yield text.strip(true, true, Values.string(unwanted, "trim: chars", call.line()));
            }
            case "replace" -> Methods.replace(text, call.allow("old", "new", "count"));
            case "upper" -> text.upper();
            case "lower" -> text.lower();
            case "capitalize" -> text.capitalized();
            case "title" -> text.titled();
            default -> text;
        };
    }

    private static Object otherwise(Object value, CallArguments call) {
        boolean falseToo = Values.isTrue(call.get(1, "boolean", false));
        boolean missing = value instanceof Undefined || (falseToo && !Values.isTrue(value));
        return missing ? call.get(0, "default_value", Text.EMPTY) : value;
    }

    private static Object ofNumber(String name, Object value, CallArguments call) {
        Double number = Values.number(value);
        if (name.equals("abs")) {
            call.allow();
            if (number == null) {
                throw new TemplateException(call.line(), "abs: got %s, need a number".formatted(Values.kind(value)));
            }
            return value instanceof Double ? Math.abs(number) : (Object) Math.abs(number.longValue());
        }
        call.allow("default");
        if (number == null) {
            try {
                number = Double.valueOf(Values.text(value, call.line()).chars().strip());
            } catch (NumberFormatException e) {
                return call.get(0, "default", name.equals("int") ? (Object) 0L : (Object) 0.0);
            }
        }
        return name.equals("int") ? (Object) (long) number.doubleValue() : number;
    }

    private static Object ofItems(String name, Object value, CallArguments call) {
        return switch (name) {
            case "first", "last" -> {
                call.allow();
                List<?> items = Values.items(value, call.line());
                yield items.isEmpty()
                        ? new Undefined(name + " of nothing")
                        : name.equals("first") ? items.getFirst() : items.getLast();
            }
            case "list" -> {
                call.allow();
                yield List.copyOf(Values.items(value, call.line()));
            }
            case "reverse" -> {
                call.allow();
                yield List.copyOf(Values.items(value, call.line()).reversed());
            }
            case "join" -> join(value, call.allow("d", "attribute"));
            case "items", "dictsort" -> {
                call.allow();
                yield pairs(name, value, call.line());
            }
            case "map" -> map(value, call);
            case "select", "reject" -> select(name.equals("select"), "", value, call, 0);
            case "selectattr", "rejectattr" ->
                select(name.equals("selectattr"), call.needText(0, "attribute").chars(), value, call, 1);
            default -> throw new TemplateException(call.line(), "the filter \"%s\" is not known".formatted(name));
        };
    }

    private static Text join(Object value, CallArguments call) {
        Text between = Values.text(call.get(0, "d", Text.EMPTY), call.line());
        Object attribute = call.get(1, "attribute", Text.EMPTY);
        Text.Builder joined = new Text.Builder();
        boolean first = true;
        for (Object item : Values.items(value, call.line())) {
            if (!first) {
                joined.add(between);
            }
            Object one = Values.isTrue(attribute) ? attribute(item, attribute, call) : item;
            joined.add(Values.text(one, call.line()));
            if (joined.length() > Budget.MOST_CHARACTERS) {
                throw new TemplateException(call.line(), "join: got too many characters");
            }
            first = false;
        }
        return joined.text();
    }

    private static List<Object> pairs(String name, Object value, int line) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateException(line, "%s: got %s, need a mapping".formatted(name, Values.kind(value)));
        }
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, entry) -> pairs.add(List.of(key, entry)));
        if (name.equals("dictsort")) {
            pairs.sort((a, b) -> Values.text(((List<?>) a).getFirst(), line)
                    .chars()
                    .compareToIgnoreCase(
                            Values.text(((List<?>) b).getFirst(), line).chars()));
        }
        return pairs;
    }

    /// `map(attribute=...)`, or `map('filter', ...)`.
    private static List<Object> map(Object value, CallArguments call) {
        List<Object> mapped = new ArrayList<>();
        Object attribute = call.named().get("attribute");
        CallArguments rest = new CallArguments(
                call.what(),
                call.positional().isEmpty()
                        ? List.of()
                        : call.positional().subList(1, call.positional().size()),
                attribute == null ? call.named() : Map.of(),
                call.line());
        for (Object item : Values.items(value, call.line())) {
            if (attribute == null) {
                mapped.add(apply(call.needText(0, "filter").chars(), item, rest));
            } else {
                Object found = attribute(item, attribute, call);
                mapped.add(found instanceof Undefined ? call.named().getOrDefault("default", found) : found);
            }
        }
        return mapped;
    }

    /// Items for which a test holds; that they are true, if none is named.
    private static List<Object> select(boolean wanted, String attribute, Object value, CallArguments call, int testAt) {
        boolean tested = call.positional().size() > testAt;
        String test = tested ? call.needText(testAt, "test").chars() : "";
        List<Object> rest =
                tested ? call.positional().subList(testAt + 1, call.positional().size()) : List.of();
        List<Object> selected = new ArrayList<>();
        for (Object item : Values.items(value, call.line())) {
            Object subject = attribute.isEmpty() ? item : attribute(item, Text.own(attribute), call);
            boolean holds = tested
                    ? Checks.holds(test, subject, new CallArguments(test, rest, call.named(), call.line()))
                    : Values.isTrue(subject);
            if (holds == wanted) {
                selected.add(item);
            }
        }
        return selected;
    }

    private static Object attribute(Object item, Object attribute, CallArguments call) {
        String path = Values.text(attribute, call.line()).chars();
        Object found = item;
        for (String name : path.split("\\.", -1)) {
            found = Members.attribute(found, name, call.line());
        }
        return found;
    }

    /// The integers of `range(...)`.
    static List<Object> range(CallArguments call, Budget budget) {
        call.allow("start", "stop", "step");
        boolean one = call.positional().size() == 1;
        long start = one ? 0 : call.integer(0, "start", 0);
        long stop = one ? call.integer(0, "stop", 0) : Values.integer(call.need(1, "stop"), "range", call.line());
        long step = call.integer(2, "step", 1);
        if (step == 0) {
            throw new TemplateException(call.line(), "range: got the step 0");
        }
        long count = Math.max(0, (stop - start + step - Long.signum(step)) / step);
        if (count > 100_000) {
            throw new TemplateException(call.line(), "range: got %d numbers, need at most 100000".formatted(count));
        }
        budget.made(count, call.line());
        List<Object> numbers = new ArrayList<>();
        IntStream.range(0, (int) count).forEach(i -> numbers.add(start + i * step));
        return numbers;
    }

    /// What `dict(a=1)` and `namespace(a=1)` hold.
    static Map<Object, Object> entries(CallArguments call) {
        Map<Object, Object> entries = new LinkedHashMap<>();
        call.named().forEach((name, value) -> entries.put(Text.own(name), value));
        return entries;
    }
}
