package dev.lapidary.model;

import java.util.ArrayList;
import java.util.List;

/// The tokens of one forward pass: runs of consecutive tokens, each of one sequence. One session's chunk is a batch of
/// one run; sequences that decode together are a batch of many runs of one token. To be cleared and used again.
public final class Batch {
    private final List<Run> runs = new ArrayList<>();
    private int used;
    private int rows;

    /// Forgets all runs.
    public Batch clear() {
        used = 0;
        rows = 0;
        return this;
    }

    /// Adds `count` tokens `ids[from..]` that continue `cache` at `position`.
    ///
    /// @throws IllegalStateException if they do not fit the cache
    public Batch add(KvCache cache, int position, int[] ids, int from, int count) {
        if (position < 0 || count <= 0 || count > cache.capacity() - position) {
            throw new IllegalStateException(
                    "KV cache: %d tokens at position %d, capacity %d".formatted(count, position, cache.capacity()));
        }
        if (used == runs.size()) {
            runs.add(new Run(cache, ids));
        }
        runs.get(used).set(cache, position, ids, from, rows, count);
        used++;
        rows += count;
        return this;
    }

    /// Tokens in all.
    public int rows() {
        return rows;
    }

    /// How many runs there are.
    int runs() {
        return used;
    }

    Run run(int index) {
        return runs.get(index);
    }

    /// Consecutive tokens of one sequence.
    static final class Run {
        private KvCache cache;
        private int position;
        private int[] ids;
        private int from;
        private int row;
        private int rows;

        Run(KvCache cache, int[] ids) {
            this.cache = cache;
            this.ids = ids;
        }

        private void set(KvCache itsCache, int itsPosition, int[] itsIds, int itsFrom, int itsRow, int itsRows) {
            cache = itsCache;
            position = itsPosition;
            ids = itsIds;
            from = itsFrom;
            row = itsRow;
            rows = itsRows;
        }

        /// Its keys and values.
        KvCache cache() {
            return cache;
        }

        /// Position of the first token.
        int position() {
            return position;
        }

        /// Holds the tokens from index [#from] on.
        int[] ids() {
            return ids;
        }

        /// Index of the first token in [#ids].
        int from() {
            return from;
        }

        /// Row of the first token in the batch.
        int row() {
            return row;
        }

        /// Number of tokens.
        int rows() {
            return rows;
        }
    }
}
