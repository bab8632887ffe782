package dev.lapidary.tokenizer.template;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// A text whose characters remember where they come from: each has a mark, [#TEMPLATE], [#PLAIN], or a number from 0
/// that the caller chose. What is made of a text keeps the marks: cut, joined, or in capitals. Immutable.
public final class Text {
    /// The template's own words.
    public static final int TEMPLATE = -1;

    /// Words of somebody else.
    public static final int PLAIN = -2;

    public static final Text EMPTY = new Text("", new int[0]);

    private final String chars;
    private final int[] marks;

    private Text(String chars, int[] marks) {
        this.chars = chars;
        this.marks = marks;
    }

    /// All characters with the same mark.
    public static Text of(String chars, int mark) {
        int[] marks = new int[chars.length()];
        Arrays.fill(marks, mark);
        return new Text(chars, marks);
    }

    /// The template's own words.
    static Text own(String chars) {
        return of(chars, TEMPLATE);
    }

    public String chars() {
        return chars;
    }

    public int length() {
        return chars.length();
    }

    /// The mark of the character at `at`.
    public int mark(int at) {
        return marks[at];
    }

    Text cut(int from, int to) {
        return new Text(chars.substring(from, to), Arrays.copyOfRange(marks, from, to));
    }

    Text plus(Text other) {
        int[] both = Arrays.copyOf(marks, length() + other.length());
        System.arraycopy(other.marks, 0, both, length(), other.length());
        return new Text(chars + other.chars, both);
    }

    /// Without white space, or without the characters of `unwanted`, at either end.
    Text strip(boolean left, boolean right, String unwanted) {
        int from = 0;
        int to = length();
        while (left && from < to && isUnwanted(chars.charAt(from), unwanted)) {
            from++;
        }
        while (right && to > from && isUnwanted(chars.charAt(to - 1), unwanted)) {
            to--;
        }
        return cut(from, to);
    }

    private static boolean isUnwanted(char c, String unwanted) {
        return unwanted.isEmpty() ? isSpace(c) : unwanted.indexOf(c) >= 0;
    }

    /// White space as Python sees it.
    public static boolean isSpace(char c) {
        return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == '\u0085';
    }

    Text upper() {
        return mapped(true, 0, length());
    }

    Text lower() {
        return mapped(false, 0, length());
    }

    Text capitalized() {
        int first = length() == 0 ? 0 : Character.charCount(chars.codePointAt(0));
        return mapped(true, 0, first).plus(mapped(false, first, length()));
    }

    /// Each run of letters with a capital, as `str.title` has it.
    Text titled() {
        Builder titled = new Builder();
        boolean inside = false;
        for (int at = 0; at < length(); ) {
            int next = at + Character.charCount(chars.codePointAt(at));
            titled.add(mapped(!inside, at, next));
            inside = Character.isLetter(chars.codePointAt(at));
            at = next;
        }
        return titled.text();
    }

    private Text mapped(boolean upper, int from, int to) {
        Builder mapped = new Builder();
        for (int at = from; at < to; ) {
            int next = at + Character.charCount(chars.codePointAt(at));
            String one = chars.substring(at, next);
            mapped.add(of(upper ? one.toUpperCase(Locale.ROOT) : one.toLowerCase(Locale.ROOT), marks[at]));
            at = next;
        }
        return mapped.text();
    }

    /// With the first `most` occurrences of `old` replaced.
    Text replace(Text old, Text fresh, long most) {
        if (old.length() == 0) {
            throw new IllegalArgumentException("replace: got nothing to replace");
        }
        Builder replaced = new Builder();
        int at = 0;
        int hit = chars.indexOf(old.chars);
        for (long count = 0; hit >= 0 && count < most; count++) {
            replaced.add(cut(at, hit)).add(fresh);
            at = hit + old.length();
            hit = chars.indexOf(old.chars, at);
        }
        return replaced.add(cut(at, length())).text();
    }

    /// The parts between separators, after at most `most` of them.
    List<Object> split(String separator, long most) {
        List<Object> parts = new ArrayList<>();
        int at = 0;
        int hit = chars.indexOf(separator);
        for (long count = 0; hit >= 0 && count < most; count++) {
            parts.add(cut(at, hit));
            at = hit + separator.length();
            hit = chars.indexOf(separator, at);
        }
        parts.add(cut(at, length()));
        return parts;
    }

    /// The parts between runs of white space.
    List<Object> words() {
        List<Object> words = new ArrayList<>();
        for (int at = 0; at < length(); ) {
            int from = at;
            while (at < length() && !isSpace(chars.charAt(at))) {
                at++;
            }
            if (at > from) {
                words.add(cut(from, at));
            } else {
                at++;
            }
        }
        return words;
    }

    /// Texts are equal if their characters are, wherever those come from.
    @Override
    public boolean equals(Object other) {
        return other instanceof Text text && chars.equals(text.chars);
    }

    @Override
    public int hashCode() {
        return chars.hashCode();
    }

    @Override
    public String toString() {
        return chars;
    }

    /// Joins texts.
    static final class Builder {
        private final StringBuilder chars = new StringBuilder();
        private int[] marks = new int[64];

        Builder add(Text text) {
            int had = chars.length();
            chars.append(text.chars);
            if (chars.length() > marks.length) {
                marks = Arrays.copyOf(marks, Math.max(2 * marks.length, chars.length()));
            }
            System.arraycopy(text.marks, 0, marks, had, text.length());
            return this;
        }

        int length() {
            return chars.length();
        }

        Text text() {
            return new Text(chars.toString(), Arrays.copyOf(marks, chars.length()));
        }
    }
}
