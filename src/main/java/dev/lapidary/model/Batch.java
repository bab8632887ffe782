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
        return add(cache, position, ids, from, count, Inserts.NONE);
    }

    /// As [#add(KvCache, int, int[], int, int)], of a sequence with `inserts`.
    ///
    /// @throws IllegalArgumentException if the run cuts one of their spans
    public Batch add(KvCache cache, int position, int[] ids, int from, int count, Inserts inserts) {
        if (position < 0 || count <= 0 || count > cache.capacity() - position) {
            throw new IllegalStateException(
                    "KV cache: %d tokens at position %d, capacity %d".formatted(count, position, cache.capacity()));
        }
        if (inserts.begin(position) != position || inserts.end(position + count - 1) > position + count) {
            throw new IllegalArgumentException("batch: got tokens %d to %d, need all of each span of %s"
                    .formatted(position, position + count, inserts.spans()));
        }
        if (used == runs.size()) {
            runs.add(new Run(cache, ids));
        }
        runs.get(used).set(cache, position, ids, from, rows, count, inserts);
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
        private Inserts inserts = Inserts.NONE;

        Run(KvCache cache, int[] ids) {
            this.cache = cache;
            this.ids = ids;
        }

        private void set(
                KvCache itsCache,
                int itsPosition,
                int[] itsIds,
                int itsFrom,
                int itsRow,
                int itsRows,
                Inserts itsInserts) {
            cache = itsCache;
            position = itsPosition;
            ids = itsIds;
            from = itsFrom;
            row = itsRow;
            rows = itsRows;
            inserts = itsInserts;
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

        /// One past the last position that the token at `seeing` sees.
        int end(int seeing) {
            return inserts.end(seeing);
        }

        /// Embeddings in the place of the table's, of all the sequence.
        List<Inserts.SoftTokens> softTokens() {
            return inserts.softTokens();
        }
    }
}
