package dev.lapidary.tokenizer.template;

/// What one rendering may use: a template comes from somebody else, and must end.
final class Budget {
    static final int MOST_CHARACTERS = 4 << 20;

    private static final int MOST_STEPS = 2_000_000;
    private static final int DEEPEST_CALL = 50;

    private long steps;
    private int depth;

    /// One expression or statement more.
    void step(int line) {
        if (++steps > MOST_STEPS) {
            throw new TemplateException(line, "got more than %d steps: does it end?".formatted(MOST_STEPS));
        }
    }

    /// That many characters or items were made, which take time too.
    void made(long count, int line) {
        if (count > MOST_CHARACTERS) {
            throw new TemplateException(line, "got more than %d characters".formatted(MOST_CHARACTERS));
        }
        steps += count / 16;
    }

    void enterCall(int line) {
        if (++depth > DEEPEST_CALL) {
            throw new TemplateException(line, "got calls nested deeper than " + DEEPEST_CALL);
        }
    }

    void leaveCall() {
        depth--;
    }
}
