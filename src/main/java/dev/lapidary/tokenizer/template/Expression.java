package dev.lapidary.tokenizer.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What has a value.
sealed interface Expression {
    int line();

    record Literal(Object value, int line) implements Expression {}

    record Name(String name, int line) implements Expression {}

    /// Of a list or a tuple.
    record Items(List<Expression> items, int line) implements Expression {}

    record Entries(List<Expression> keys, List<Expression> values, int line) implements Expression {}

    /// `object.name`.
    record Attribute(Expression object, String name, int line) implements Expression {}

    /// `object[key]`.
    record Subscript(Expression object, Expression key, int line) implements Expression {}

    /// `object[from:to:step]`.
    record Slice(
            Expression object,
            @Nullable Expression from,
            @Nullable Expression to,
            @Nullable Expression step,
            int line) implements Expression {}

    record Call(Expression function, Arguments arguments, int line) implements Expression {}

    record Filter(Expression input, String name, Arguments arguments, int line) implements Expression {}

    record Test(Expression input, String name, Arguments arguments, boolean negated, int line) implements Expression {}

    /// `+x`, `-x` and `not x`.
    record Unary(String operator, Expression operand, int line) implements Expression {}

    record Binary(String operator, Expression left, Expression right, int line) implements Expression {}

    /// `a < b <= c`: all of them.
    record Comparison(Expression first, List<String> operators, List<Expression> others, int line)
            implements Expression {}

    /// `then if test else otherwise`; without the last, nothing.
    record Choice(
            Expression test, Expression then, @Nullable Expression otherwise, int line) implements Expression {}

    /// Of a call, a filter or a test.
    record Arguments(List<Expression> positional, List<String> names, List<Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), List.of(), List.of());
    }
}
