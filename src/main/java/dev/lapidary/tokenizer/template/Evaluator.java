package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// Values of expressions.
final class Evaluator {
    private final Budget budget;

    Evaluator(Budget budget) {
        this.budget = budget;
    }

    Object value(Expression expression, Scope scope) {
        budget.step(expression.line());
        return switch (expression) {
            case Expression.Literal literal -> literal.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.Items items -> values(items.items(), scope);
            case Expression.Entries entries -> entries(entries, scope);
            case Expression.Attribute attribute ->
                Members.attribute(value(attribute.object(), scope), attribute.name(), attribute.line());
            case Expression.Subscript subscript ->
                Members.item(value(subscript.object(), scope), value(subscript.key(), scope), subscript.line());
            case Expression.Slice slice ->
                Members.slice(
                        value(slice.object(), scope),
                        optional(slice.from(), scope),
                        optional(slice.to(), scope),
                        optional(slice.step(), scope),
                        slice.line());
            case Expression.Call call -> call(call, scope);
            case Expression.Filter filter ->
                Filters.apply(
                        filter.name(),
                        value(filter.input(), scope),
                        arguments(filter.name(), filter.arguments(), filter.line(), scope));
            case Expression.Test test ->
                Checks.holds(
                                test.name(),
                                value(test.input(), scope),
                                arguments(test.name(), test.arguments(), test.line(), scope))
                        != test.negated();
            case Expression.Unary unary -> unary(unary, scope);
            case Expression.Binary binary -> binary(binary, scope);
            case Expression.Comparison comparison -> comparison(comparison, scope);
            case Expression.Choice choice -> choice(choice, scope);
        };
    }

    private @Nullable Object optional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : value(expression, scope);
    }

    private List<Object> values(List<Expression> expressions, Scope scope) {
        List<Object> values = new ArrayList<>();
        for (Expression expression : expressions) {
            values.add(value(expression, scope));
        }
        return values;
    }

    private Map<Object, Object> entries(Expression.Entries entries, Scope scope) {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < entries.keys().size(); i++) {
            Object key = value(entries.keys().get(i), scope);
            if (!Values.isKey(key)) {
                throw new TemplateException(entries.line(), "got %s for a key".formatted(Values.kind(key)));
            }
            map.put(key, value(entries.values().get(i), scope));
        }
        return map;
    }

    private Object choice(Expression.Choice choice, Scope scope) {
        if (Values.isTrue(value(choice.test(), scope))) {
            return value(choice.then(), scope);
        }
        Expression otherwise = choice.otherwise();
        return otherwise == null ? new Undefined("else") : value(otherwise, scope);
    }

    private CallArguments arguments(String what, Expression.Arguments arguments, int line, Scope scope) {
        Map<String, Object> named = new LinkedHashMap<>();
        for (int i = 0; i < arguments.names().size(); i++) {
            named.put(arguments.names().get(i), value(arguments.named().get(i), scope));
        }
        return new CallArguments(what, values(arguments.positional(), scope), named, line);
    }

    private Object call(Expression.Call call, Scope scope) {
        int line = call.line();
        if (call.function() instanceof Expression.Attribute method) {
            Object object = value(method.object(), scope);
            Object member = Members.attribute(object, method.name(), line);
            CallArguments arguments = arguments(method.name(), call.arguments(), line, scope);
            return member instanceof Function function
                    ? function.call(arguments.positional(), arguments.named(), line)
                    : Methods.call(object, method.name(), arguments);
        }
        Object function = value(call.function(), scope);
        if (!(function instanceof Function known)) {
            throw new TemplateException(line, "cannot call " + Values.kind(function));
        }
        CallArguments arguments = arguments("call", call.arguments(), line, scope);
        return known.call(arguments.positional(), arguments.named(), line);
    }

    private Object unary(Expression.Unary unary, Scope scope) {
        Object operand = value(unary.operand(), scope);
        if (unary.operator().equals("not")) {
            return !Values.isTrue(operand);
        }
        boolean negative = unary.operator().equals("-");
        return switch (operand) {
            case Long number -> negative ? -number : number;
            case Double number -> negative ? -number : number;
            default ->
                throw new TemplateException(
                        unary.line(), "%s: got %s, need a number".formatted(unary.operator(), Values.kind(operand)));
        };
    }

    private Object binary(Expression.Binary binary, Scope scope) {
        Object left = value(binary.left(), scope);
        int line = binary.line();
        return switch (binary.operator()) {
            case "and" -> Values.isTrue(left) ? value(binary.right(), scope) : left;
            case "or" -> Values.isTrue(left) ? left : value(binary.right(), scope);
            case "~" -> joined(Values.text(left, line), Values.text(value(binary.right(), scope), line), line);
            default -> arithmetic(binary.operator(), left, value(binary.right(), scope), line);
        };
    }

    private Object arithmetic(String operator, Object left, Object right, int line) {
        if (operator.equals("+") && left instanceof Text one && right instanceof Text other) {
            return joined(one, other, line);
        }
        if (operator.equals("+") && left instanceof List<?> one && right instanceof List<?> other) {
            List<Object> both = new ArrayList<>(one);
            both.addAll(other);
            budget.made(both.size(), line);
            return both;
        }
        Double a = Values.number(left);
        Double b = Values.number(right);
        if (a == null || b == null) {
            throw new TemplateException(
                    line, "%s: got %s and %s".formatted(operator, Values.kind(left), Values.kind(right)));
        }
        boolean real = left instanceof Double || right instanceof Double;
        if (real || operator.equals("/")) {
            return real(operator, a, b, line);
        }
        return whole(operator, a.longValue(), b.longValue(), line);
    }

    private static Object real(String operator, double a, double b, int line) {
        if (b == 0 && "/ // %".contains(operator)) {
            throw new TemplateException(line, "%s: got 0 to divide by".formatted(operator));
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            default -> a - b * Math.floor(a / b);
        };
    }

    private static Object whole(String operator, long a, long b, int line) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(a, b);
                case "-" -> Math.subtractExact(a, b);
                case "*" -> Math.multiplyExact(a, b);
                case "//" -> Math.floorDiv(a, b);
                default -> Math.floorMod(a, b);
            };
        } catch (ArithmeticException e) {
            throw new TemplateException(line, "%d %s %d: %s".formatted(a, operator, b, e.getMessage()));
        }
    }

    private Text joined(Text left, Text right, int line) {
        budget.made((long) left.length() + right.length(), line);
        return left.plus(right);
    }

    private boolean comparison(Expression.Comparison comparison, Scope scope) {
        Object left = value(comparison.first(), scope);
        for (int i = 0; i < comparison.operators().size(); i++) {
            Object right = value(comparison.others().get(i), scope);
            if (!holds(comparison.operators().get(i), left, right, comparison.line())) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private static boolean holds(String operator, Object left, Object right, int line) {
        return switch (operator) {
            case "==" -> Values.areEqual(left, right, line);
            case "!=" -> !Values.areEqual(left, right, line);
            case "in" -> Values.contains(right, left, line);
            case "not in" -> !Values.contains(right, left, line);
            case "<" -> Values.compare(left, right, line) < 0;
            case ">" -> Values.compare(left, right, line) > 0;
            case "<=" -> Values.compare(left, right, line) <= 0;
            default -> Values.compare(left, right, line) >= 0;
        };
    }
}
