package dev.lapidary.vision;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Heads;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;

/// Scratch memory of the tower: one image at a time.
final class VisionWorkspace {
    /// Scores of one block of attention: 8 MiB.
    private static final int MAX_SCORES = 1 << 21;

    /// Queries of one block of attention.
    private static final int MAX_BLOCK_ROWS = 512;

    /// int32, 0 to `patches - 1`.
    final MemorySegment positions;

    /// `[patches, patch elements]`, in the same memory as `projected` and `gated`: no two of them are in use at once.
    final Matrix patches;

    /// `[patches, width]`, the residual stream.
    final Matrix residual;

    /// `[patches, width]`, a norm of it, or the attention's output.
    final Matrix normed;

    /// `[patches, width]`, the output of attention or feed-forward.
    final Matrix branch;

    /// `[patches, 3 * width]`: queries, keys and values side by side.
    final Matrix projected;

    final Heads queries;
    final Heads keys;
    final Heads values;

    /// `[patches, neurons]`.
    final Matrix gated;

    /// `[block rows, patches]`.
    final Matrix scores;

    /// int32 `[block rows]`: all 0, and all `patches`.
    final MemorySegment begin;

    final MemorySegment end;

    /// `[tokens, width]`.
    final Matrix pooled;

    /// `[tokens, embedding]`.
    final Matrix soft;

    VisionWorkspace(VisionConfig config, SegmentAllocator allocator) {
        int rows = config.patches();
        int width = config.width();
        positions = allocator.allocate(ValueLayout.JAVA_INT, rows);
        for (int i = 0; i < rows; i++) {
            positions.setAtIndex(ValueLayout.JAVA_INT, i, i);
        }
        Matrix widest = matrix(allocator, rows, widestCols(config));
        patches = Matrix.dense(widest.data(), DataType.F32, rows, config.patchElements());
        residual = matrix(allocator, rows, width);
        normed = matrix(allocator, rows, width);
        branch = matrix(allocator, rows, width);
        projected = Matrix.dense(widest.data(), DataType.F32, rows, 3 * width);
        queries = Heads.of(projected.cols(0, width), config.headDim());
        keys = Heads.of(projected.cols(width, width), config.headDim());
        values = Heads.of(projected.cols(2 * width, width), config.headDim());
        gated = Matrix.dense(widest.data(), DataType.F32, rows, config.neurons());
        int blockRows = blockRows(config);
        scores = matrix(allocator, blockRows, rows);
        begin = allocator.allocate(ValueLayout.JAVA_INT, blockRows).fill((byte) 0);
        end = allocator.allocate(ValueLayout.JAVA_INT, blockRows);
        for (int i = 0; i < blockRows; i++) {
            end.setAtIndex(ValueLayout.JAVA_INT, i, rows);
        }
        pooled = matrix(allocator, config.tokensPerImage(), width);
        soft = matrix(allocator, config.tokensPerImage(), config.embedding());
    }

    /// Bytes that a workspace of these extents takes.
    static long bytes(VisionConfig config) {
        long perPatch = 1L + 3L * config.width() + widestCols(config) + blockRows(config);
        long perToken = (long) config.width() + config.embedding();
        return Float.BYTES
                * (config.patches() * perPatch + config.tokensPerImage() * perToken + 2L * blockRows(config));
    }

    private static int widestCols(VisionConfig config) {
        return Math.max(config.patchElements(), Math.max(3 * config.width(), config.neurons()));
    }

    private static int blockRows(VisionConfig config) {
        return Math.clamp(MAX_SCORES / config.patches(), 1, Math.min(MAX_BLOCK_ROWS, config.patches()));
    }

    private static Matrix matrix(SegmentAllocator allocator, int rows, int cols) {
        long bytes = Math.multiplyExact((long) rows * cols, (long) Float.BYTES);
        return Matrix.dense(allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES), DataType.F32, rows, cols);
    }
}
