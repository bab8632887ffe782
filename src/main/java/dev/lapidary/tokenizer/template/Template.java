package dev.lapidary.tokenizer.template;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// A template that was understood. Immutable and safe to share between threads.
public final class Template {
    private static final int MOST_CHARACTERS = 1 << 20;

    private final List<Statement> body;

    private Template(List<Statement> body) {
        this.body = body;
    }

    /// Reads a template's source.
    ///
    /// @throws TemplateException for what is not Jinja, or not the part of it that is known, with the line
    public static Template parse(String source) {
        if (source.length() > MOST_CHARACTERS) {
            throw new TemplateException(
                    1, "got %d characters, need at most %d".formatted(source.length(), MOST_CHARACTERS));
        }
        return new Template(Parser.parse(source));
    }

    /// Renders it. Variables are texts, strings, booleans, numbers, null, and lists and maps of these; a string's
    /// characters are marked [Text#PLAIN].
    ///
    /// @throws TemplateException if it fails, or refuses what it is given ([TemplateException#isRaised()])
    public Text render(Map<String, ?> variables) {
        Map<String, Object> values = new LinkedHashMap<>();
        variables.forEach((name, value) -> values.put(name, Values.of(value)));
        return Renderer.render(body, values);
    }
}
