package dev.lapidary.tokenizer.template;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// What stands between other text, or between tags.
sealed interface Statement {
    record Output(Text text, int line) implements Statement {}

    record Print(Expression value) implements Statement {}

    record If(List<Expression> tests, List<List<Statement>> bodies, List<Statement> otherwise) implements Statement {}

    /// A loop.
    ///
    /// @param targets one name, or several for what is unpacked
    /// @param where   which items count; null for all
    record For(
            List<String> targets,
            Expression items,
            @Nullable Expression where,
            List<Statement> body,
            List<Statement> otherwise,
            int line)
            implements Statement {}

    record Set(String name, Expression value) implements Statement {}

    /// `set namespace.attribute = value`.
    record SetAttribute(String namespace, String attribute, Expression value, int line) implements Statement {}

    /// `set name` with a body.
    record SetBlock(String name, List<Statement> body) implements Statement {}

    /// What can be called.
    ///
    /// @param defaults those of the last parameters
    record Macro(String name, List<String> parameters, List<Expression> defaults, List<Statement> body, int line)
            implements Statement {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /// Statements that are just one after the other.
    record Group(List<Statement> body) implements Statement {}
}
