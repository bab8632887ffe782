package dev.lapidary.model;

import dev.lapidary.kernels.DataType;
import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/// Matrices without a checkpoint: BF16, normally distributed as an untrained model's are. One block of numbers is drawn
/// and copied over and over, which is as fast as memory takes it.
public final class RandomMatrices {
    private static final double DEVIATION = 0.02;
    private static final long SEED = 1;

    /// A prime, so that no two rows of a matrix begin at the same place of the block.
    private static final int BLOCK = 1_048_573;

    private final SegmentAllocator allocator;
    private final MemorySegment block = MemorySegment.ofArray(new short[BLOCK]);
    private long next;

    /// @param allocator gives the matrices' memory
    public RandomMatrices(SegmentAllocator allocator) {
        this.allocator = allocator;
        SplittableRandom random = new SplittableRandom(SEED);
        for (int i = 0; i < BLOCK; i++) {
            int bits = Float.floatToRawIntBits((float) (random.nextGaussian() * DEVIATION));
            block.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (bits >>> 16));
        }
    }

    /// The next one.
    public Matrix matrix(int rows, int cols) {
        long bytes = (long) rows * cols * DataType.BF16.bytes();
        MemorySegment data = allocator.allocate(bytes, Matrix.ALIGNMENT_BYTES);
        long done = 0;
        while (done < bytes) {
            long count = Math.min(bytes - done, block.byteSize() - next);
            MemorySegment.copy(block, next, data, done, count);
            done += count;
            next = (next + count) % block.byteSize();
        }
        return Matrix.dense(data, DataType.BF16, rows, cols);
    }
}
