package dev.lapidary.tokenizer.template;

import dev.lapidary.tokenizer.template.Token.Kind;
import java.util.List;

/// Tokens one after the other, with one in view.
final class TokenReader {
    private static final int DEEPEST = 200;

    private final List<Token> tokens;
    private int at;
    private int depth;

    TokenReader(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        at = Math.min(at + 1, tokens.size() - 1);
        return token;
    }

    int line() {
        return peek().line();
    }

    boolean takeOperator(String operator) {
        return peek().isOperator(operator) && next() != null;
    }

    boolean takeName(String name) {
        return peek().isName(name) && next() != null;
    }

    void needOperator(String operator) {
        if (!takeOperator(operator)) {
            throw unexpected("\"" + operator + "\"");
        }
    }

    void needName(String name) {
        if (!takeName(name)) {
            throw unexpected("\"" + name + "\"");
        }
    }

    String name() {
        if (peek().kind() != Kind.NAME) {
            throw unexpected("a name");
        }
        return next().text();
    }

    void needBlockEnd() {
        if (peek().kind() != Kind.BLOCK_END) {
            throw unexpected("\"%}\"");
        }
        next();
    }

    TemplateException unexpected(String need) {
        return new TemplateException(line(), "got %s, need %s".formatted(peek(), need));
    }

    /// Goes one level down, which is bounded; [#leave()] comes back.
    void enter() {
        if (++depth > DEEPEST) {
            throw new TemplateException(line(), "nested deeper than " + DEEPEST);
        }
    }

    void leave() {
        depth--;
    }
}
