package dev.lapidary.tokenizer.template;

import dev.lapidary.tokenizer.template.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A template's source as tokens. White space around tags goes as Hugging Face sets it: `trim_blocks` takes the newline
/// after a block, `lstrip_blocks` the indent before one; a `-` in a tag takes all white space on its side, a `+` none.
final class Lexer {
    private static final List<String> OPERATORS = List.of(
            "//", "**", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")", "[", "]", "{",
            "}", ",", ":", ".", "|");

    private static final Pattern NUMBER = Pattern.compile("[0-9]+(\\.[0-9]+)?([eE][+-]?[0-9]+)?");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    private boolean lineStarting = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String source) {
        String lines = source.replace("\r\n", "\n").replace('\r', '\n');
        Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
        lexer.run();
        return lexer.tokens;
    }

    private void run() {
        while (at < source.length()) {
            int open = nextTag();
            text(open);
            if (at < source.length()) {
                tag();
            }
        }
        add(Kind.END, "");
    }

    /// Where the next tag begins, or the end.
    private int nextTag() {
        for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
            if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
                return i;
            }
        }
        return source.length();
    }

    private void text(int end) {
        String text = source.substring(at, end);
        boolean tag = end < source.length();
        char kind = tag ? source.charAt(end + 1) : ' ';
        char modifier = end + 2 < source.length() ? source.charAt(end + 2) : ' ';
        if (tag && modifier == '-') {
            text = Text.own(text).strip(false, true, "").chars();
        } else if (tag && kind != '{' && modifier != '+') {
            text = withoutIndent(text);
        }
        if (!text.isEmpty()) {
            add(Kind.TEXT, text);
        }
        forward(end);
    }

    private String withoutIndent(String text) {
        int start = text.lastIndexOf('\n') + 1;
        boolean startsLine = start > 0 || lineStarting;
        return startsLine && text.substring(start).chars().allMatch(c -> c == ' ' || c == '\t')
                ? text.substring(0, start)
                : text;
    }

    private void tag() {
        char kind = source.charAt(at + 1);
        forward(at + 2);
        if (kind == '#') {
            comment();
            return;
        }
        if (at < source.length() && "-+".indexOf(source.charAt(at)) >= 0) {
            forward(at + 1);
        }
        add(kind == '{' ? Kind.PRINT_BEGIN : Kind.BLOCK_BEGIN, kind == '{' ? "{{" : "{%");
        inside(kind == '{' ? "}}" : "%}");
    }

    private void comment() {
        int close = source.indexOf("#}", at);
        if (close < 0) {
            throw problem("a comment without end");
        }
        char modifier = close > at ? source.charAt(close - 1) : ' ';
        forward(close + 2);
        afterTag(modifier, true);
    }

    private void inside(String close) {
        int braces = 0;
        while (true) {
            skipSpace();
            if (at >= source.length()) {
                throw problem("a tag without end, need \"%s\"".formatted(close));
            }
            char modifier = source.charAt(at);
            boolean modified = (modifier == '-' || modifier == '+') && source.startsWith(close, at + 1);
            if (braces == 0 && (modified || source.startsWith(close, at))) {
                add(close.equals("}}") ? Kind.PRINT_END : Kind.BLOCK_END, close);
                forward(at + close.length() + (modified ? 1 : 0));
                afterTag(modified ? modifier : ' ', close.equals("%}"));
                return;
            }
            token();
            Token last = tokens.getLast();
            braces += last.isOperator("{") ? 1 : last.isOperator("}") ? -1 : 0;
        }
    }

    private void afterTag(char modifier, boolean block) {
        int before = at;
        if (modifier == '-') {
            skipSpace();
        } else if (block && modifier != '+' && at < source.length() && source.charAt(at) == '\n') {
            forward(at + 1);
        }
        lineStarting = at > before && source.charAt(at - 1) == '\n';
    }

    private void token() {
        char c = source.charAt(at);
        if (Character.isLetter(c) || c == '_') {
            int end = at;
            while (end < source.length() && isNamePart(source.charAt(end))) {
                end++;
            }
            add(Kind.NAME, source.substring(at, end));
            forward(end);
        } else if (c >= '0' && c <= '9') {
            number();
        } else if (c == '"' || c == '\'') {
            string(c);
        } else {
            String operator = OPERATORS.stream()
                    .filter(each -> source.startsWith(each, at))
                    .findFirst()
                    .orElseThrow(() -> problem("got the character '%c'".formatted(c)));
            add(Kind.OPERATOR, operator);
            forward(at + operator.length());
        }
    }

    private void number() {
        Matcher number = NUMBER.matcher(source).region(at, source.length());
        if (!number.lookingAt()) {
            throw problem("got the character '%c'".formatted(source.charAt(at)));
        }
        boolean whole = number.group(1) == null && number.group(2) == null;
        add(whole ? Kind.INTEGER : Kind.FLOAT, number.group());
        forward(number.end());
    }

    private static boolean isNamePart(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private void string(char quote) {
        StringBuilder text = new StringBuilder();
        int i = at + 1;
        for (; i < source.length() && source.charAt(i) != quote; i++) {
            char c = source.charAt(i);
            if (c == '\\' && i + 1 < source.length()) {
                i = escape(i + 1, text);
            } else {
                text.append(c);
            }
        }
        if (i >= source.length()) {
            throw problem("a string without end");
        }
        add(Kind.STRING, text.toString());
        forward(i + 1);
    }

    /// Reads what follows a backslash, and gives the place of its last character.
    private int escape(int i, StringBuilder text) {
        char c = source.charAt(i);
        switch (c) {
            case 'n' -> text.append('\n');
            case 't' -> text.append('\t');
            case 'r' -> text.append('\r');
            case '\\', '\'', '"' -> text.append(c);
            case '\n' -> {}
            case 'x', 'u' -> {
                int end = i + (c == 'x' ? 3 : 5);
                String digits = end <= source.length() ? source.substring(i + 1, end) : "";
                if (!digits.matches("[0-9a-fA-F]+")) {
                    throw problem("got the escape \"\\%c%s\"".formatted(c, digits));
                }
                text.append((char) Integer.parseInt(digits, 16));
                return end - 1;
            }
            default -> text.append('\\').append(c); // as Python leaves what it does not know
        }
        return i;
    }

    private void skipSpace() {
        int end = at;
        while (end < source.length() && Text.isSpace(source.charAt(end))) {
            end++;
        }
        forward(end);
    }

    private void add(Kind kind, String text) {
        tokens.add(new Token(kind, text, line));
    }

    private void forward(int to) {
        for (; at < to; at++) {
            if (source.charAt(at) == '\n') {
                line++;
            }
        }
    }

    private TemplateException problem(String message) {
        return new TemplateException(line, message);
    }
}
