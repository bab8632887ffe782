package dev.lapidary.model;

import java.util.ArrayList;
import java.util.List;

/// The tokens of one forward pass: runs of consecutive tokens, each of one sequence. One session's chunk is a batch of
/// one run; sequences that decode together are a batch of many runs of one token.
public final class Batch {
    private final List<Run> runs = new ArrayList<>();
    private int rows;

    /// Adds `count` tokens `ids[from..]` that continue `cache` at `position`.
    ///
    /// @throws IllegalStateException if they do not fit the cache
    public Batch add(KvCache cache, int position, int[] ids, int from, int count) {
        if (position < 0 || count <= 0 || count > cache.capacity() - position) {
            throw new IllegalStateException(
                    "KV cache: %d tokens at position %d, capacity %d".formatted(count, position, cache.capacity()));
        }
        runs.add(new Run(cache, position, ids, from, rows, count));
        rows += count;
        return this;
    }

    /// Tokens in all.
    public int rows() {
        return rows;
    }

    List<Run> runs() {
        return runs;
    }

    /// Consecutive tokens of one sequence.
    ///
    /// @param cache    its keys and values
    /// @param position of the first token
    /// @param ids      holds the tokens from index `from` on
    /// @param from     index of the first token in `ids`
    /// @param row      of the first token in the batch
    /// @param rows     tokens
    @SuppressWarnings("ArrayRecordComponent") // borrowed, never compared
    record Run(KvCache cache, int position, int[] ids, int from, int row, int rows) {}
}
