package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Kernels.RopeTable;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/// Scratch memory of the decoder, sized once from config and rows. One batch at a time; all sessions of a model share
/// it.
public final class Workspace {
    /// Most rows of logits computed at once: enough to share the pass over the head, few enough to stay small.
    static final int MAX_LOGIT_ROWS = 32;

    /// Scores that one block of attention may hold: 8 MiB.
    static final int MAX_SCORES = 1 << 21;

    /// Rows whose neurons are computed at once: enough for the arithmetic to bound a pass over the weights.
    static final int MAX_GATED_ROWS = 1024;

    private final GemmaConfig config;
    private final int maxRows;
    private final Map<Rope, Angles> angles = new LinkedHashMap<>();
    private final @Nullable Activations[] activations;
    private final @Nullable Logits[] logitViews;

    final MemorySegment ids;
    final MemorySegment positions;
    final Matrix residual;
    final Matrix normed;
    final Matrix branch;
    final Matrix projected;
    final Matrix mixed;
    final Matrix recurrent;
    final Matrix gated;
    final Matrix logits;
    final AttentionScratch attention;

    /// Memory out of `allocator` for batches of up to `maxRows` tokens.
    public Workspace(GemmaConfig config, int maxRows, SegmentAllocator allocator) {
        this.config = config;
        this.maxRows = maxRows;
        ids = allocator.allocate(ValueLayout.JAVA_INT, maxRows);
        positions = allocator.allocate(ValueLayout.JAVA_INT, maxRows);
        residual = matrix(allocator, maxRows, config.embedding());
        normed = matrix(allocator, maxRows, config.embedding());
        branch = matrix(allocator, maxRows, config.embedding());
        projected = matrix(allocator, maxRows, widest(config, LayerConfig::inputCols));
        mixed = matrix(allocator, maxRows, widest(config, LayerConfig::queryCols));
        recurrent = matrix(allocator, maxRows, widest(config, Workspace::recurrentCols));
        gated = matrix(allocator, Math.min(maxRows, MAX_GATED_ROWS), widest(config, LayerConfig::neurons));
        logits = matrix(allocator, logitRows(config, maxRows), config.vocab());
        attention = new AttentionScratch(
                matrix(allocator, 1, MAX_SCORES),
                matrix(allocator, Attention.MAX_BLOCK_ROWS, widest(config, LayerConfig::headDim)),
                allocator.allocate(ValueLayout.JAVA_INT, maxRows),
                allocator.allocate(ValueLayout.JAVA_INT, maxRows));
        for (LayerConfig layer : config.layers()) {
            angles.computeIfAbsent(layer.rope(), rope -> Angles.allocate(rope, maxRows, allocator));
        }
        activations = new Activations[maxRows + 1];
        logitViews = new Logits[logits.rows() + 1];
    }

    /// Bytes that a workspace of these extents takes.
    public static long bytes(GemmaConfig config, int maxRows) {
        long perRow = 3L * config.embedding()
                + widest(config, LayerConfig::inputCols)
                + widest(config, LayerConfig::queryCols)
                + widest(config, Workspace::recurrentCols)
                + 4;
        List<Rope> ropes =
                config.layers().stream().map(LayerConfig::rope).distinct().toList();
        long angles = ropes.stream().mapToLong(Rope::dims).sum();
        long floats = maxRows * (perRow + angles)
                + (long) Math.min(maxRows, MAX_GATED_ROWS) * widest(config, LayerConfig::neurons)
                + (long) logitRows(config, maxRows) * config.vocab()
                + MAX_SCORES
                + (long) Attention.MAX_BLOCK_ROWS * widest(config, LayerConfig::headDim);
        return floats * Float.BYTES + angles / 2 * Double.BYTES;
    }

    private static int logitRows(GemmaConfig config, int maxRows) {
        return config.bidirectional() ? 0 : Math.min(maxRows, MAX_LOGIT_ROWS);
    }

    /// Most tokens in a batch.
    public int maxRows() {
        return maxRows;
    }

    /// The views for logits of `count` rows, made on first use and kept.
    Logits logits(int count) {
        Logits views = logitViews[count];
        if (views == null) {
            views = new Logits(normed.rows(0, count), logits.rows(0, count));
            logitViews[count] = views;
        }
        return views;
    }

    /// The views for a pass over `seq` rows, made on first use and kept.
    Activations activations(int seq) {
        Activations views = activations[seq];
        if (views == null) {
            views = new Activations(config, this, seq);
            activations[seq] = views;
        }
        return views;
    }

    /// Angles of the positions of the current batch, for layers with `rope`.
    RopeTable angles(Rope rope) {
        return angle(rope).table;
    }

    /// For every rope of the model, where the angles of the first `seq` positions go.
    List<Angles> angles(int seq) {
        return angles.values().stream()
                .map(each -> new Angles(each.inverseFrequencies, each.table.rows(0, seq)))
                .toList();
    }

    private Angles angle(Rope rope) {
        Angles found = angles.get(rope);
        if (found == null) {
            throw new IllegalArgumentException("workspace: got %s, need one of %s".formatted(rope, angles.keySet()));
        }
        return found;
    }

    /// What a recurrent block has between its projections: the convolution's output and two gates.
    private static int recurrentCols(LayerConfig layer) {
        return layer.attention() == AttentionType.RECURRENT ? 3 * layer.queryCols() : 0;
    }

    private static int widest(GemmaConfig config, ToIntFunction<LayerConfig> width) {
        return config.layers().stream().mapToInt(width).max().orElse(0);
    }

    private static Matrix matrix(SegmentAllocator allocator, int rows, int cols) {
        long bytes = Math.multiplyExact((long) rows * cols, (long) Float.BYTES);
        return Matrix.dense(allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES), DataType.F32, rows, cols);
    }

    /// @param normed `[count, embedding]`
    /// @param logits `[count, vocab]`
    record Logits(Matrix normed, Matrix logits) {}

    /// @param scores  `[1, MAX_SCORES]`, seen as `[block rows, keys]`
    /// @param spilled `[block rows, headDim]`, what the second part of a ring adds
    /// @param begin   int32 `[max rows]`
    /// @param end     int32 `[max rows]`
    record AttentionScratch(Matrix scores, Matrix spilled, MemorySegment begin, MemorySegment end) {}

    /// @param inverseFrequencies float64 `[rotated dims / 2]`
    /// @param table              of the positions
    record Angles(MemorySegment inverseFrequencies, RopeTable table) {
        static Angles allocate(Rope rope, int maxRows, SegmentAllocator allocator) {
            MemorySegment frequencies = allocator.allocateFrom(ValueLayout.JAVA_DOUBLE, rope.inverseFrequencies());
            int half = rope.dims() / 2;
            return new Angles(
                    frequencies, new RopeTable(matrix(allocator, maxRows, half), matrix(allocator, maxRows, half)));
        }
    }
}
