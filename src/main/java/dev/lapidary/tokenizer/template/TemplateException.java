package dev.lapidary.tokenizer.template;

/// A template that is not understood, or that cannot be rendered with what it is given. The message names the line.
public final class TemplateException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final boolean raised;

    TemplateException(int line, String message) {
        this("line %d: %s".formatted(line, message), false);
    }

    private TemplateException(String message, boolean raised) {
        super(message);
        this.raised = raised;
    }

    /// What the template itself says is wrong with the conversation.
    static TemplateException raised(int line, String message) {
        return new TemplateException("%s (line %d)".formatted(message, line), true);
    }

    /// Whether the template itself refused, with `raise_exception`.
    public boolean isRaised() {
        return raised;
    }
}
