package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Ids in a growing array.
final class IntList {
    private int[] values = new int[64];
    private int count;

    void add(int value) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = value;
    }

    void addAll(int... more) {
        for (int value : more) {
            add(value);
        }
    }

    boolean endsWith(int value) {
        return count > 0 && values[count - 1] == value;
    }

    int[] toArray() {
        return Arrays.copyOf(values, count);
    }
}
