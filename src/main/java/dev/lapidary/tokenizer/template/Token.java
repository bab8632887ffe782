package dev.lapidary.tokenizer.template;

/// A piece of a template's source.
record Token(Kind kind, String text, int line) {
    enum Kind {
        TEXT,
        PRINT_BEGIN,
        PRINT_END,
        BLOCK_BEGIN,
        BLOCK_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind wanted, String wantedText) {
        return kind == wanted && text.equals(wantedText);
    }

    boolean isName(String name) {
        return is(Kind.NAME, name);
    }

    boolean isOperator(String operator) {
        return is(Kind.OPERATOR, operator);
    }

    /// For messages.
    @Override
    public String toString() {
        return switch (kind) {
            case END -> "the end of the template";
            case TEXT -> "text";
            default -> "\"" + text + "\"";
        };
    }
}
