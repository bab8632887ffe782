package dev.lapidary.tokenizer.template;

import java.util.List;
import java.util.Map;

/// Values as JSON, as Python's `json.dumps` writes them for Hugging Face's `tojson`: characters beyond ASCII stay.
final class JsonText {
    private static final int DEEPEST = 100;

    private final StringBuilder json = new StringBuilder();
    private final int indent;
    private final int line;

    private JsonText(int indent, int line) {
        this.indent = indent;
        this.line = line;
    }

    /// @param indent spaces of a level; 0 for one line
    static String of(Object value, int indent, int line) {
        JsonText text = new JsonText(indent, line);
        text.add(value, 1);
        return text.json.toString();
    }

    private void add(Object value, int depth) {
        if (depth > DEEPEST || json.length() > Budget.MOST_CHARACTERS) {
            throw new TemplateException(
                    line, "tojson: got values nested deeper than %d, or too many".formatted(DEEPEST));
        }
        switch (value) {
            case Text text -> addString(text.chars());
            case Boolean bool -> json.append(bool);
            case Long number -> json.append(number);
            case Double number -> json.append(number);
            case None _ -> json.append("null");
            case List<?> list -> addList(list, depth);
            case Map<?, ?> map -> addMap(map, depth);
            default -> throw new TemplateException(line, "tojson: got " + Values.kind(value));
        }
    }

    private void addList(List<?> list, int depth) {
        json.append('[');
        boolean first = true;
        for (Object item : list) {
            separate(first, depth);
            add(item, depth + 1);
            first = false;
        }
        close(']', first, depth);
    }

    private void addMap(Map<?, ?> map, int depth) {
        json.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            separate(first, depth);
            addString(Values.text(entry.getKey(), line).chars());
            json.append(": ");
            add(entry.getValue(), depth + 1);
            first = false;
        }
        close('}', first, depth);
    }

    private void separate(boolean first, int depth) {
        if (!first) {
            json.append(indent > 0 ? "," : ", ");
        }
        if (indent > 0) {
            json.append('\n').append(" ".repeat(indent * depth));
        }
    }

    private void close(char bracket, boolean empty, int depth) {
        if (indent > 0 && !empty) {
            json.append('\n').append(" ".repeat(indent * (depth - 1)));
        }
        json.append(bracket);
    }

    private void addString(String text) {
        json.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"' -> json.append("\\\"");
                case '\\' -> json.append("\\\\");
                case '\n' -> json.append("\\n");
                case '\r' -> json.append("\\r");
                case '\t' -> json.append("\\t");
                case '\b' -> json.append("\\b");
                case '\f' -> json.append("\\f");
                default -> {
                    if (c < ' ') {
                        json.append("\\u%04x".formatted((int) c));
                    } else {
                        json.append(c);
                    }
                }
            }
        }
        json.append('"');
    }
}
