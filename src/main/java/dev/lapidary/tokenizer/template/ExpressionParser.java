package dev.lapidary.tokenizer.template;

import dev.lapidary.tokenizer.template.Expression.Arguments;
import dev.lapidary.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Expressions, with Jinja's precedence.
final class ExpressionParser {
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", ">", "<=", ">=");
    private static final Set<String> NOT_ARGUMENTS = Set.of("else", "or", "and", "is", "in", "not", "if");

    private final TokenReader tokens;

    ExpressionParser(TokenReader tokens) {
        this.tokens = tokens;
    }

    /// A whole expression.
    Expression expression() {
        tokens.enter();
        int line = tokens.line();
        Expression value = or();
        while (tokens.takeName("if")) {
            Expression test = or();
            value = new Expression.Choice(test, value, tokens.takeName("else") ? expression() : null, line);
        }
        tokens.leave();
        return value;
    }

    /// An expression without a choice: what a loop goes over may be followed by its own `if`.
    Expression or() {
        return binary(this::and, Kind.NAME, Set.of("or"));
    }

    private Expression and() {
        return binary(this::not, Kind.NAME, Set.of("and"));
    }

    private Expression not() {
        int line = tokens.line();
        if (!tokens.peek().isName("not")) {
            return comparison();
        }
        tokens.enter();
        tokens.next();
        Expression operand = not();
        tokens.leave();
        return new Expression.Unary("not", operand, line);
    }

    private Expression comparison() {
        int line = tokens.line();
        Expression first = sum();
        List<String> operators = new ArrayList<>();
        List<Expression> others = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            if (token.kind() == Kind.OPERATOR && COMPARISONS.contains(token.text())) {
                operators.add(tokens.next().text());
            } else if (tokens.takeName("in")) {
                operators.add("in");
            } else if (token.isName("not") && tokens.peekSecond().isName("in")) {
                tokens.next();
                tokens.next();
                operators.add("not in");
            } else {
                return operators.isEmpty() ? first : new Expression.Comparison(first, operators, others, line);
            }
            others.add(sum());
        }
    }

    private Expression sum() {
        return binary(this::concatenation, Kind.OPERATOR, Set.of("+", "-"));
    }

    private Expression concatenation() {
        return binary(this::product, Kind.OPERATOR, Set.of("~"));
    }

    private Expression product() {
        return binary(this::signed, Kind.OPERATOR, Set.of("*", "/", "//", "%"));
    }

    private Expression binary(Supplier<Expression> operand, Kind kind, Set<String> operators) {
        Expression left = operand.get();
        while (tokens.peek().kind() == kind && operators.contains(tokens.peek().text())) {
            Token operator = tokens.next();
            left = new Expression.Binary(operator.text(), left, operand.get(), operator.line());
        }
        return left;
    }

    private Expression signed() {
        Token token = tokens.peek();
        if (!token.isOperator("-") && !token.isOperator("+")) {
            return filtered(postfixed(primary()));
        }
        return filtered(unfiltered());
    }

    private Expression unfiltered() {
        Token token = tokens.peek();
        if (token.isOperator("-") || token.isOperator("+")) {
            tokens.enter();
            tokens.next();
            Expression operand = unfiltered();
            tokens.leave();
            return new Expression.Unary(token.text(), operand, token.line());
        }
        return postfixed(primary());
    }

    private Expression primary() {
        Token token = tokens.next();
        return switch (token.kind()) {
            case NAME -> named(token);
            case STRING -> {
                StringBuilder text = new StringBuilder(token.text());
                while (tokens.peek().kind() == Kind.STRING) {
                    text.append(tokens.next().text());
                }
                yield new Expression.Literal(Text.own(text.toString()), token.line());
            }
            case INTEGER -> new Expression.Literal(integer(token), token.line());
            case FLOAT -> new Expression.Literal(Double.valueOf(token.text()), token.line());
            case OPERATOR -> bracketed(token);
            default -> throw new TemplateException(token.line(), "got %s, need a value".formatted(token));
        };
    }

    private static Long integer(Token token) {
        try {
            return Long.valueOf(token.text());
        } catch (NumberFormatException e) {
            throw new TemplateException(token.line(), "got the number %s, need one of 64 bits".formatted(token.text()));
        }
    }

    private static Expression named(Token token) {
        return switch (token.text()) {
            case "true", "True" -> new Expression.Literal(true, token.line());
            case "false", "False" -> new Expression.Literal(false, token.line());
            case "none", "None" -> new Expression.Literal(None.NONE, token.line());
            default -> new Expression.Name(token.text(), token.line());
        };
    }

    private Expression bracketed(Token open) {
        return switch (open.text()) {
            case "(" -> parenthesized(open);
            case "[" -> new Expression.Items(list("]"), open.line());
            case "{" -> entries(open);
            default -> throw new TemplateException(open.line(), "got %s, need a value".formatted(open));
        };
    }

    private Expression parenthesized(Token open) {
        if (tokens.takeOperator(")")) {
            return new Expression.Items(List.of(), open.line());
        }
        Expression first = expression();
        if (tokens.takeOperator(")")) {
            return first;
        }
        tokens.needOperator(",");
        List<Expression> items = new ArrayList<>(List.of(first));
        items.addAll(list(")"));
        return new Expression.Items(items, open.line());
    }

    private List<Expression> list(String close) {
        List<Expression> items = new ArrayList<>();
        while (!tokens.takeOperator(close)) {
            items.add(expression());
            if (!tokens.peek().isOperator(close)) {
                tokens.needOperator(",");
            }
        }
        return items;
    }

    private Expression entries(Token open) {
        List<Expression> keys = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.takeOperator("}")) {
            keys.add(expression());
            tokens.needOperator(":");
            values.add(expression());
            if (!tokens.peek().isOperator("}")) {
                tokens.needOperator(",");
            }
        }
        return new Expression.Entries(keys, values, open.line());
    }

    private Expression postfixed(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.line();
            if (tokens.takeOperator(".")) {
                value = new Expression.Attribute(value, tokens.name(), line);
            } else if (tokens.takeOperator("[")) {
                value = subscript(value, line);
            } else if (tokens.takeOperator("(")) {
                value = new Expression.Call(value, arguments(), line);
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression object, int line) {
        Expression from = tokens.peek().isOperator(":") ? null : expression();
        if (from != null && tokens.takeOperator("]")) {
            return new Expression.Subscript(object, from, line);
        }
        tokens.needOperator(":");
        Expression to = bound();
        Expression step = tokens.takeOperator(":") ? bound() : null;
        tokens.needOperator("]");
        return new Expression.Slice(object, from, to, step, line);
    }

    private @Nullable Expression bound() {
        return tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
    }

    /// What follows an opening parenthesis.
    Arguments arguments() {
        List<Expression> positional = new ArrayList<>();
        List<String> names = new ArrayList<>();
        List<Expression> named = new ArrayList<>();
        while (!tokens.takeOperator(")")) {
            if (tokens.peek().kind() == Kind.NAME && tokens.peekSecond().isOperator("=")) {
                names.add(tokens.name());
                tokens.next();
                named.add(expression());
            } else if (!names.isEmpty()) {
                throw tokens.unexpected("a name and \"=\"");
            } else {
                positional.add(expression());
            }
            if (!tokens.peek().isOperator(")")) {
                tokens.needOperator(",");
            }
        }
        return new Arguments(positional, names, named);
    }

    private Expression filtered(Expression start) {
        Expression value = start;
        while (true) {
            int line = tokens.line();
            if (tokens.takeOperator("|")) {
                String name = tokens.name();
                value = new Expression.Filter(
                        value, name, tokens.takeOperator("(") ? arguments() : Arguments.NONE, line);
            } else if (tokens.takeName("is")) {
                boolean negated = tokens.takeName("not");
                String name = tokens.name();
                value = new Expression.Test(value, name, testArguments(), negated, line);
            } else {
                return value;
            }
        }
    }

    /// In parentheses, or a single one without.
    private Arguments testArguments() {
        if (tokens.takeOperator("(")) {
            return arguments();
        }
        Token token = tokens.peek();
        boolean argument = switch (token.kind()) {
            case STRING, INTEGER, FLOAT -> true;
            case NAME -> !NOT_ARGUMENTS.contains(token.text());
            case OPERATOR -> token.text().equals("[") || token.text().equals("{");
            default -> false;
        };
        return argument ? new Arguments(List.of(postfixed(primary())), List.of(), List.of()) : Arguments.NONE;
    }
}
