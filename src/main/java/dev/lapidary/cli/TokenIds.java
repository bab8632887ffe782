package dev.lapidary.cli;

import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Token ids as text: `2,17,5`.
final class TokenIds {
    private TokenIds() {}

    /// Reads numbers that commas, white space or the brackets of a JSON array part.
    ///
    /// @param what where they come from, for messages
    /// @throws IllegalArgumentException naming the first that is no number
    static int[] parse(String what, String text) {
        return Arrays.stream(text.split("[,\\s\\[\\]]+"))
                .filter(word -> !word.isEmpty())
                .mapToInt(word -> id(what, word))
                .toArray();
    }

    static String text(int... ids) {
        return IntStream.of(ids).mapToObj(Integer::toString).collect(Collectors.joining(","));
    }

    /// A token on a line of its own: id and text with its control characters escaped.
    static String line(int id, String text) {
        return id + "\t" + escaped(text);
    }

    /// As [#line(int, String)], with the log-probability between.
    static String line(int id, double logProbability, String text) {
        return Amounts.text("%d\t%.6f\t%s", id, logProbability, escaped(text));
    }

    private static String escaped(String text) {
        return text.replace("\\", "\\\\")
                .replace("\n", "\\n")
                .replace("\r", "\\r")
                .replace("\t", "\\t");
    }

    private static int id(String what, String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("%s: got \"%s\", need token ids like 2,17,5".formatted(what, word), e);
        }
    }
}
