package dev.lapidary.model;

/// Where the recurrent states of a sequence stand. There are two of each: a batch reads the one that holds everything
/// below its first position and writes the other, which counts only when the whole batch is through. So a batch that
/// was cancelled has changed nothing, and the last batch can be taken back.
final class StateVersions {
    static final int COUNT = 2;

    private static final int NOTHING = -1;

    /// How many tokens each version has seen.
    private final int[] positions = new int[COUNT];

    private int read;

    /// Chooses what a batch that begins at `position` reads.
    ///
    /// @throws IllegalStateException if neither version stands there
    void begin(int position) {
        if (!has(position)) {
            throw new IllegalStateException("recurrent state: got position %d, need %d or %d or 0"
                    .formatted(position, positions[read], positions[other()]));
        }
        if (positions[other()] == position) {
            read = other();
        }
        positions[read] = position;
        positions[other()] = NOTHING;
    }

    /// What the batch wrote holds everything below `position` from now on.
    void commit(int position) {
        positions[other()] = position;
        read = other();
    }

    /// Whether a batch may begin at `position`: a sequence always may.
    boolean has(int position) {
        return position == 0 || positions[0] == position || positions[1] == position;
    }

    /// Whether what is read is the state before the first token.
    boolean isEmpty() {
        return positions[read] == 0;
    }

    int read() {
        return read;
    }

    int written() {
        return other();
    }

    /// Both versions, whatever they hold, count for `position` and the one before.
    void assume(int position) {
        positions[read] = position;
        positions[other()] = Math.max(0, position - 1);
    }

    void copyFrom(StateVersions source) {
        System.arraycopy(source.positions, 0, positions, 0, COUNT);
        read = source.read;
    }

    private int other() {
        return 1 - read;
    }
}
