package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Scratch memory of alternating updates: the streams beside the residual one, and what is to be added to each. Views
/// are made once per row count, so that a step makes none.
final class StreamScratch {
    private final int count;
    private final int maxRows;
    private final Matrix others;
    private final Matrix changes;
    private final Matrix innovation;
    private final Matrix modalities;
    private final Matrix shares;
    private final @Nullable Views[] views;

    /// int32, each row's own number.
    final MemorySegment rows;

    private StreamScratch(int count, int embedding, int maxRows, SegmentAllocator allocator) {
        this.count = count;
        this.maxRows = maxRows;
        others = Workspace.matrix(allocator, Math.multiplyExact(count - 1, maxRows), embedding);
        changes = Workspace.matrix(allocator, Math.multiplyExact(count, maxRows), embedding);
        innovation = Workspace.matrix(allocator, maxRows, embedding);
        modalities = Workspace.matrix(allocator, maxRows, count);
        shares = Workspace.matrix(allocator, count * count, maxRows);
        rows = allocator.allocate(ValueLayout.JAVA_INT, maxRows);
        for (int i = 0; i < maxRows; i++) {
            rows.setAtIndex(ValueLayout.JAVA_INT, i, i);
        }
        views = new @Nullable Views[maxRows + 1];
    }

    /// Memory out of `allocator` for batches of up to `maxRows` tokens; null where there is one stream.
    static @Nullable StreamScratch allocate(GemmaConfig config, int maxRows, SegmentAllocator allocator) {
        AltUpConfig altUp = config.altUp();
        return altUp == null ? null : new StreamScratch(altUp.streams(), config.embedding(), maxRows, allocator);
    }

    /// Bytes that [#allocate] takes.
    static long bytes(GemmaConfig config, int maxRows) {
        AltUpConfig altUp = config.altUp();
        if (altUp == null) {
            return 0;
        }
        long streams = altUp.streams();
        return (long) Float.BYTES * maxRows * (2 * streams * config.embedding() + streams + streams * streams + 1);
    }

    /// The views for a batch of `seq` rows.
    Views views(int seq) {
        Views made = views[seq];
        if (made == null) {
            made = new Views(this, seq);
            views[seq] = made;
        }
        return made;
    }

    /// Views for a batch of `seq` rows.
    static final class Views {
        /// `[seq, embedding]` each, the streams but the first.
        final List<Matrix> others = new ArrayList<>();

        /// `[seq, embedding]` each, what is to be added to each stream.
        final List<Matrix> changes = new ArrayList<>();

        /// The memory of each of `changes` and no more.
        final List<MemorySegment> changeBytes = new ArrayList<>();

        /// `[seq, embedding]`, what a layer made of the first stream less what was predicted.
        final Matrix innovation;

        /// `[seq, streams]`.
        final Matrix modalities;

        /// `[streams * streams, seq]`.
        final Matrix predictions;

        /// `[streams, seq]`.
        final Matrix corrections;

        /// float32 `[seq]` each, the rows of `predictions`; the first of them those of `corrections` too.
        final List<MemorySegment> shares = new ArrayList<>();

        private Views(StreamScratch scratch, int seq) {
            for (int i = 0; i < scratch.count - 1; i++) {
                others.add(scratch.others.rows(i * scratch.maxRows, seq));
            }
            for (int i = 0; i < scratch.count; i++) {
                Matrix change = scratch.changes.rows(i * scratch.maxRows, seq);
                changes.add(change);
                changeBytes.add(change.data().asSlice(0, change.elementBytes()));
            }
            innovation = scratch.innovation.rows(0, seq);
            modalities = scratch.modalities.rows(0, seq);
            MemorySegment data = scratch.shares.data();
            predictions = Matrix.dense(data, DataType.F32, scratch.count * scratch.count, seq);
            corrections = Matrix.dense(data, DataType.F32, scratch.count, seq);
            for (int i = 0; i < scratch.count * scratch.count; i++) {
                shares.add(predictions.row(i).data());
            }
        }
    }
}
