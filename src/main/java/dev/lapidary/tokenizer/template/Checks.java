package dev.lapidary.tokenizer.template;

import java.util.List;
import java.util.Map;

/// The tests: `value is name(arguments)`.
final class Checks {
    private Checks() {}

    /// @throws TemplateException if there is no test of that name
    static boolean holds(String name, Object value, CallArguments call) {
        int line = call.line();
        return switch (name) {
            case "equalto", "eq", "==" ->
                Values.areEqual(value, call.allow("other").need(0, "other"), line);
            case "ne", "!=" -> !Values.areEqual(value, call.allow("other").need(0, "other"), line);
            case "gt", "greaterthan", ">" ->
                Values.compare(value, call.allow("other").need(0, "other"), line) > 0;
            case "ge", ">=" -> Values.compare(value, call.allow("other").need(0, "other"), line) >= 0;
            case "lt", "lessthan", "<" ->
                Values.compare(value, call.allow("other").need(0, "other"), line) < 0;
            case "le", "<=" -> Values.compare(value, call.allow("other").need(0, "other"), line) <= 0;
            case "in" -> Values.contains(call.allow("seq").need(0, "seq"), value, line);
            case "divisibleby" -> {
                long by = Values.integer(call.allow("num").need(0, "num"), "divisibleby", line);
                if (by == 0) {
                    throw new TemplateException(line, "divisibleby: got 0");
                }
                yield Values.integer(value, "divisibleby", line) % by == 0;
            }
            default -> {
                call.allow();
                yield isOfKind(name, value, line);
            }
        };
    }

    private static boolean isOfKind(String name, Object value, int line) {
        return switch (name) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value instanceof None;
            case "string" -> value instanceof Text;
            case "boolean" -> value instanceof Boolean;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "integer" -> value instanceof Long;
            case "float" -> value instanceof Double;
            case "number" -> Values.number(value) != null;
            case "mapping" -> value instanceof Map;
            case "sequence" -> value instanceof Text || value instanceof List || value instanceof Map;
            case "iterable" ->
                value instanceof Text || value instanceof List || value instanceof Map || value instanceof Undefined;
            case "callable" -> value instanceof Function;
            case "odd" -> Math.floorMod(Values.integer(value, "odd", line), 2L) == 1;
            case "even" -> Math.floorMod(Values.integer(value, "even", line), 2L) == 0;
            case "upper" -> isCased(value, true, line);
            case "lower" -> isCased(value, false, line);
            default -> throw new TemplateException(line, "the test \"%s\" is not known".formatted(name));
        };
    }

    private static boolean isCased(Object value, boolean upper, int line) {
        Text text = Values.text(value, line);
        Text cased = upper ? text.upper() : text.lower();
        return text.equals(cased) && text.chars().codePoints().anyMatch(Character::isLetter);
    }
}
