package dev.lapidary;

import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.Decoder;
import dev.lapidary.model.TextModel;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Logits of tokens that were just computed, made by blocks of rows when they are read. Other sequences' batches may
/// come in between, so they are made of a copy of the residual stream.
final class LogitRows implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Decoder decoder;
    private final Matrix residual;
    private final int vocab;
    private final float[] block;
    private int blockBegin;
    private int blockRows;

    /// Room for `count` tokens.
    LogitRows(TextModel model, int count) {
        decoder = model.decoder();
        vocab = model.config().vocab();
        residual = Matrix.allocate(arena, count, model.config().embedding());
        block = new float[Math.multiplyExact(Math.min(decoder.maxLogitRows(), count), vocab)];
    }

    /// Copies the residual stream `[count, embedding]` after the last layer; on the driver thread.
    void take(Matrix computed) {
        residual.data().copyFrom(computed.data().asSlice(0, residual.elementBytes()));
    }

    int count() {
        return residual.rows();
    }

    /// Writes the logits after token `row` to `logits` `[vocab]`. Cheapest in the order of the rows.
    void read(int row, float[] logits) {
        if (row < blockBegin || row >= blockBegin + blockRows) {
            compute(row);
        }
        System.arraycopy(block, (row - blockBegin) * vocab, logits, 0, vocab);
    }

    private void compute(int begin) {
        Matrix some = residual.rows(begin, Math.min(block.length / vocab, count() - begin));
        DriverThread.run(() -> MemorySegment.copy(
                decoder.logits(some).data(), ValueLayout.JAVA_FLOAT, 0, block, 0, some.rows() * vocab));
        blockBegin = begin;
        blockRows = some.rows();
    }

    @Override
    public void close() {
        arena.close();
    }
}
