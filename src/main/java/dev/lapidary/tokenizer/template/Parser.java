package dev.lapidary.tokenizer.template;

import dev.lapidary.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/// Statements, and the text between them.
final class Parser {
    private final TokenReader tokens;
    private final ExpressionParser expressions;

    private Parser(TokenReader tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    /// Throws [TemplateException] for what is not known.
    static List<Statement> parse(String source) {
        Parser parser = new Parser(new TokenReader(Lexer.tokens(source)));
        List<Statement> body = parser.until(Set.of());
        if (parser.tokens.peek().kind() != Kind.END) {
            throw parser.tokens.unexpected("a statement");
        }
        return body;
    }

    /// Statements up to a block that begins with one of these words, which is left with its word in view.
    private List<Statement> until(Set<String> words) {
        tokens.enter();
        List<Statement> body = new ArrayList<>();
        while (true) {
            Token token = tokens.peek();
            switch (token.kind()) {
                case TEXT -> {
                    tokens.next();
                    body.add(new Statement.Output(Text.own(token.text()), token.line()));
                }
                case PRINT_BEGIN -> body.add(print());
                case BLOCK_BEGIN -> {
                    tokens.next();
                    if (words.contains(tokens.peek().text())) {
                        tokens.leave();
                        return body;
                    }
                    body.add(block());
                }
                default -> {
                    if (!words.isEmpty()) {
                        throw tokens.unexpected("one of "
                                + String.join(", ", words.stream().sorted().toList()));
                    }
                    tokens.leave();
                    return body;
                }
            }
        }
    }

    private Statement print() {
        tokens.next();
        Expression value = expressions.expression();
        if (tokens.peek().kind() != Kind.PRINT_END) {
            throw tokens.unexpected("\"}}\"");
        }
        tokens.next();
        return new Statement.Print(value);
    }

    private Statement block() {
        int line = tokens.line();
        String word = tokens.name();
        return switch (word) {
            case "if" -> branches();
            case "for" -> loop(line);
            case "set" -> set(line);
            case "macro" -> macro(line);
            case "generation" -> { // marks what a model said, for training
                tokens.needBlockEnd();
                yield new Statement.Group(bodyUntil("endgeneration"));
            }
            case "break" -> {
                tokens.needBlockEnd();
                yield new Statement.Break();
            }
            case "continue" -> {
                tokens.needBlockEnd();
                yield new Statement.Continue();
            }
            default -> throw new TemplateException(line, "the statement \"%s\" is not known".formatted(word));
        };
    }

    private List<Statement> bodyUntil(String end) {
        List<Statement> body = until(Set.of(end));
        tokens.needName(end);
        tokens.needBlockEnd();
        return body;
    }

    private Statement branches() {
        List<Expression> tests = new ArrayList<>();
        List<List<Statement>> bodies = new ArrayList<>();
        List<Statement> otherwise = List.of();
        tests.add(expressions.expression());
        tokens.needBlockEnd();
        bodies.add(until(Set.of("elif", "else", "endif")));
        while (tokens.takeName("elif")) {
            tests.add(expressions.expression());
            tokens.needBlockEnd();
            bodies.add(until(Set.of("elif", "else", "endif")));
        }
        if (tokens.takeName("else")) {
            tokens.needBlockEnd();
            otherwise = until(Set.of("endif"));
        }
        tokens.needName("endif");
        tokens.needBlockEnd();
        return new Statement.If(tests, bodies, otherwise);
    }

    private Statement loop(int line) {
        List<String> targets = new ArrayList<>();
        boolean parenthesized = tokens.takeOperator("(");
        do {
            targets.add(tokens.name());
        } while (tokens.takeOperator(","));
        if (parenthesized) {
            tokens.needOperator(")");
        }
        tokens.needName("in");
        Expression items = expressions.or();
        Expression where = tokens.takeName("if") ? expressions.expression() : null;
        if (tokens.peek().isName("recursive")) {
            throw new TemplateException(line, "a recursive loop is not known");
        }
        tokens.needBlockEnd();
        List<Statement> body = until(Set.of("else", "endfor"));
        List<Statement> otherwise = List.of();
        if (tokens.takeName("else")) {
            tokens.needBlockEnd();
            otherwise = until(Set.of("endfor"));
        }
        tokens.needName("endfor");
        tokens.needBlockEnd();
        return new Statement.For(targets, items, where, body, otherwise, line);
    }

    private Statement set(int line) {
        String name = tokens.name();
        if (tokens.takeOperator(".")) {
            String attribute = tokens.name();
            tokens.needOperator("=");
            Expression value = expressions.expression();
            tokens.needBlockEnd();
            return new Statement.SetAttribute(name, attribute, value, line);
        }
        if (tokens.peek().kind() == Kind.BLOCK_END) {
            tokens.next();
            return new Statement.SetBlock(name, bodyUntil("endset"));
        }
        tokens.needOperator("=");
        Expression value = expressions.expression();
        tokens.needBlockEnd();
        return new Statement.Set(name, value);
    }

    private Statement macro(int line) {
        String name = tokens.name();
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        tokens.needOperator("(");
        while (!tokens.takeOperator(")")) {
            parameters.add(tokens.name());
            if (tokens.takeOperator("=")) {
                defaults.add(expressions.expression());
            } else if (!defaults.isEmpty()) {
                throw tokens.unexpected("a default");
            }
            if (!tokens.peek().isOperator(")")) {
                tokens.needOperator(",");
            }
        }
        tokens.needBlockEnd();
        return new Statement.Macro(name, parameters, defaults, bodyUntil("endmacro"), line);
    }
}
