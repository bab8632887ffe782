package dev.lapidary.tokenizer;

import java.util.Arrays;

/// Ids in a growing array.
final class IntList {
    private static final int NONE = -1;

    private int[] values = new int[64];
    private int count;
    private int before = NONE; // what was taken last

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

    /// Whether the last value, taken or not, is this one.
    boolean endsWith(int value) {
        return (count > 0 ? values[count - 1] : before) == value;
    }

    /// The values since the last call.
    int[] take() {
        int[] taken = toArray();
        before = count > 0 ? values[count - 1] : before;
        count = 0;
        return taken;
    }

    /// Forgets the values, those that were taken too.
    void clear() {
        count = 0;
        before = NONE;
    }

    int[] toArray() {
        return Arrays.copyOf(values, count);
    }
}
