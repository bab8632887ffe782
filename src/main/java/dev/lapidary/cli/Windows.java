package dev.lapidary.cli;

import java.util.ArrayList;
import java.util.List;

/// A text's ids in parts that a session takes one after the other, none of which knows the others.
final class Windows {
    private final List<int[]> parts;

    private Windows(List<int[]> parts) {
        this.parts = parts;
    }

    /// One part.
    static Windows whole(int... ids) {
        return new Windows(List.of(ids));
    }

    /// Parts of at most `length` ids, each `bos` and what follows in the text.
    static Windows parts(int[] text, int bos, int length) {
        List<int[]> parts = new ArrayList<>();
        for (int from = 0; from < text.length; from += length - 1) {
            int count = Math.min(length - 1, text.length - from);
            int[] part = new int[count + 1];
            part[0] = bos;
            System.arraycopy(text, from, part, 1, count);
            parts.add(part);
        }
        return new Windows(parts);
    }

    List<int[]> parts() {
        return parts;
    }

    /// Tokens that have one before them.
    int scored() {
        return parts.stream().mapToInt(part -> Math.max(0, part.length - 1)).sum();
    }

    /// Tokens of the longest part.
    int longest() {
        return parts.stream().mapToInt(part -> part.length).max().orElse(0);
    }
}
