package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/// Operands that are used in turns and are together larger than the caches, so that each is read from memory as a
/// model's weights are.
final class Rotation<T> {
    private static final long POOL_BYTES = 1L << 30;
    private static final int BLOCK_BYTES = 1 << 20;

    private final List<T> operands = new ArrayList<>();
    private int next;

    /// As many operands of `bytes` as the pool has room for, at least one, each made of its memory by `operand`.
    Rotation(Arena arena, long bytes, Function<MemorySegment, T> operand) {
        long each = (bytes + Matrix.ALIGNMENT_BYTES - 1) / Matrix.ALIGNMENT_BYTES * Matrix.ALIGNMENT_BYTES;
        int count = Math.toIntExact(Math.max(1, POOL_BYTES / each));
        MemorySegment pool = random(arena, count * each);
        for (int i = 0; i < count; i++) {
            operands.add(operand.apply(pool.asSlice(i * each, bytes)));
        }
    }

    T next() {
        next = next + 1 == operands.size() ? 0 : next + 1;
        return operands.get(next);
    }

    /// Matrices of a type.
    static Rotation<Matrix> matrices(Arena arena, DataType type, int rows, int cols) {
        return new Rotation<>(arena, (long) rows * cols * type.bytes(), data -> Matrix.dense(data, type, rows, cols));
    }

    /// An F32 matrix that stays in the caches, as activations do.
    static Matrix activations(Arena arena, int rows, int cols) {
        return Matrix.dense(random(arena, (long) rows * cols * Float.BYTES), DataType.F32, rows, cols);
    }

    /// Memory that holds numbers around 0 in any of the types: neither NaN nor so small that they slow the
    /// arithmetic.
    static MemorySegment random(Arena arena, long bytes) {
        MemorySegment memory = arena.allocate(bytes, Matrix.ALIGNMENT_BYTES);
        short[] block = new short[BLOCK_BYTES / Short.BYTES];
        Random random = new Random(1);
        for (int i = 0; i < block.length; i++) {
            block[i] = (short) (random.nextInt(0x3c00, 0x3f00) | random.nextInt(2) << 15);
        }
        for (long done = 0; done < bytes; done += BLOCK_BYTES) {
            long count = Math.min(BLOCK_BYTES, bytes - done);
            MemorySegment.copy(MemorySegment.ofArray(block), 0, memory, done, count);
        }
        return memory;
    }
}
