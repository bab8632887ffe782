package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// Scratch memory of mixtures of experts: what they give a batch, the router's choice, and room for the rows of one
/// expert. Views are made once per row count, so that a step makes none.
final class ExpertScratch {
    /// Rows of an expert that are more than [#FEW_ROWS] come in multiples of this, the last ones computed for
    /// nothing: a backend that prepares itself for each shape then meets few of them.
    private static final int ROW_GRAIN = 16;

    private static final int FEW_ROWS = 8;

    private final Matrix mixture;
    private final Matrix scores;
    private final Matrix inputs;
    private final Matrix gated;
    private final Matrix outputs;
    private final @Nullable BatchViews[] batchViews;
    private final @Nullable RowViews[] rowViews;

    /// Of the batch at hand.
    final Routing routing;

    /// int32, rows of the batch that the expert at hand reads.
    final MemorySegment ids;

    /// float32, their shares of the expert.
    final MemorySegment shares;

    private ExpertScratch(Experts experts, int embedding, int maxRows, SegmentAllocator allocator) {
        int padded = padded(maxRows);
        mixture = Workspace.matrix(allocator, maxRows, embedding);
        scores = Workspace.matrix(allocator, maxRows, experts.count());
        inputs = Workspace.matrix(allocator, padded, embedding);
        gated = Workspace.matrix(allocator, padded, experts.neurons());
        outputs = Workspace.matrix(allocator, padded, embedding);
        ids = allocator.allocate(ValueLayout.JAVA_INT, padded);
        shares = allocator.allocate(ValueLayout.JAVA_FLOAT, maxRows);
        routing = new Routing(experts, maxRows);
        batchViews = new @Nullable BatchViews[maxRows + 1];
        rowViews = new @Nullable RowViews[padded + 1];
    }

    /// Memory out of `allocator` for batches of up to `maxRows` tokens; null where no layer has experts.
    static @Nullable ExpertScratch allocate(GemmaConfig config, int maxRows, SegmentAllocator allocator) {
        Experts experts = config.experts();
        return experts == null ? null : new ExpertScratch(experts, config.embedding(), maxRows, allocator);
    }

    /// Bytes that [#allocate] takes.
    static long bytes(GemmaConfig config, int maxRows) {
        Experts experts = config.experts();
        if (experts == null) {
            return 0;
        }
        long perBatchRow = (long) config.embedding() + experts.count() + 1;
        long perExpertRow = 2L * config.embedding() + experts.neurons() + 1;
        return Float.BYTES * (maxRows * perBatchRow + padded(maxRows) * perExpertRow);
    }

    /// As many rows as are computed for `rows` of an expert.
    static int padded(int rows) {
        return rows <= FEW_ROWS ? rows : (rows + ROW_GRAIN - 1) / ROW_GRAIN * ROW_GRAIN;
    }

    /// The views for a batch of `seq` rows.
    BatchViews batch(int seq) {
        BatchViews views = batchViews[seq];
        if (views == null) {
            Matrix rows = mixture.rows(0, seq);
            views = new BatchViews(rows, rows.data().asSlice(0, rows.elementBytes()), scores.rows(0, seq));
            batchViews[seq] = views;
        }
        return views;
    }

    /// The views for `count` rows of an expert.
    RowViews rows(int count) {
        RowViews views = rowViews[count];
        if (views == null) {
            views = new RowViews(inputs.rows(0, count), gated.rows(0, count), outputs.rows(0, count));
            rowViews[count] = views;
        }
        return views;
    }

    /// @param mixture      `[seq, embedding]`, what the experts give
    /// @param mixtureBytes its memory and no more
    /// @param scores       `[seq, experts]`, of the router
    record BatchViews(Matrix mixture, MemorySegment mixtureBytes, Matrix scores) {}

    /// @param inputs  `[count, embedding]`
    /// @param gated   `[count, neurons]`
    /// @param outputs `[count, embedding]`
    record RowViews(Matrix inputs, Matrix gated, Matrix outputs) {}
}
