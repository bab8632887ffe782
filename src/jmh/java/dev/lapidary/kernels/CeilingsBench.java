package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/// What this machine can do at all: how fast its cores read memory together, and how fast they multiply.
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class CeilingsBench {
    /// Memory that is larger than the caches.
    @State(Scope.Benchmark)
    public static class Pool {
        private Arena arena;
        private MemorySegment memory;

        @Setup
        @SuppressWarnings("MustBeClosedChecker") // closed at the end of the trial
        public void setUp() {
            arena = Arena.ofShared();
            memory = Rotation.random(arena, 1L << 30);
        }

        @TearDown
        public void tearDown() {
            arena.close();
        }
    }

    /// A thread's part of the pool, of which each operation reads a piece.
    @State(Scope.Thread)
    public static class Share {
        private static final long PIECE_BYTES = 32 << 20;

        private MemorySegment memory;
        private long from;

        @Setup
        public void setUp(Pool pool, ThreadParams thread) {
            long bytes = pool.memory.byteSize() / thread.getThreadCount() / PIECE_BYTES * PIECE_BYTES;
            memory = pool.memory.asSlice(thread.getThreadIndex() * bytes, bytes);
        }

        MemorySegment next() {
            MemorySegment piece = memory.asSlice(from, PIECE_BYTES);
            from = (from + PIECE_BYTES) % memory.byteSize();
            return piece;
        }
    }

    /// A square product, large enough that only the arithmetic counts.
    @State(Scope.Benchmark)
    public static class Square {
        private static final int EXTENT = 2048;

        @Param({"F32", "BF16"})
        public DataType type;

        private Matrix in;
        private Matrix out;

        @Setup
        public void setUp(Team team) {
            if (!team.matmul.multiplies(type)) {
                throw new UnsupportedOperationException(
                        "%s does not multiply %s here".formatted(team.matmul.name(), type));
            }
            long bytes = (long) EXTENT * EXTENT * type.bytes();
            in = Matrix.dense(Rotation.random(team.arena, bytes), type, EXTENT, EXTENT);
            out = Matrix.allocate(team.arena, EXTENT, EXTENT);
        }
    }

    /// Every cache line once, in four runs per core: one word of each is enough to bring it.
    @Benchmark
    @Threads(Threads.MAX)
    public long read(Share share, Bytes bytes) {
        MemorySegment memory = share.next();
        long run = memory.byteSize() / 4;
        long sum = 0;
        for (long at = 0; at < run; at += 64) {
            sum += memory.get(ValueLayout.JAVA_LONG, at)
                    ^ memory.get(ValueLayout.JAVA_LONG, at + run)
                    ^ memory.get(ValueLayout.JAVA_LONG, at + 2 * run)
                    ^ memory.get(ValueLayout.JAVA_LONG, at + 3 * run);
        }
        bytes.add(memory.byteSize());
        return sum;
    }

    @Benchmark
    public void gemm(Team team, Square square, Flops flops) {
        team.matmul.matmulTransposed(square.in, square.in, square.out);
        flops.add(Square.EXTENT, Square.EXTENT, Square.EXTENT);
    }
}
