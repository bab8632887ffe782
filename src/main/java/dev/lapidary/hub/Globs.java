package dev.lapidary.hub;

import java.util.regex.Pattern;

/// Patterns of names as Python's `fnmatch` has them, and so `--include` of Hugging Face's own tools: `*` and `?` stand
/// for a `/` too, `[...]` for one of its characters, and `folder/` for all that is in it.
final class Globs {
    private Globs() {}

    static Pattern pattern(String glob) {
        String whole = glob.endsWith("/") ? glob + "*" : glob;
        StringBuilder regex = new StringBuilder();
        for (int at = 0; at < whole.length(); at++) {
            char c = whole.charAt(at);
            int close = c == '[' ? close(whole, at) : -1;
            if (c == '*') {
                regex.append(".*");
            } else if (c == '?') {
                regex.append('.');
            } else if (close > 0) {
                regex.append(characters(whole.substring(at + 1, close)));
                at = close;
            } else {
                regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return Pattern.compile(regex.toString(), Pattern.DOTALL);
    }

    /// Where a set of characters that starts at `open` ends; -1 if the bracket is just one.
    private static int close(String glob, int open) {
        int first = open + 1;
        if (first < glob.length() && glob.charAt(first) == '!') {
            first++;
        }
        return glob.indexOf(']', first + 1);
    }

    private static String characters(String set) {
        boolean not = set.startsWith("!");
        String inside = (not ? set.substring(1) : set).replaceAll("[\\\\\\[\\]&^~]", "\\\\$0");
        return "[" + (not ? "^" : "") + inside + "]";
    }
}
