package dev.lapidary.kernels;

import java.lang.foreign.Arena;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/// The kernels, the threads that compute, and memory for operands.
@State(Scope.Benchmark)
public class Team {
    @Param("onednn")
    public String backend;

    /// 0 for as many as the machine or the container has.
    @Param("0")
    public int threads;

    Backend matmul;
    NativeKernels kernels;
    Arena arena;

    @Setup
    @SuppressWarnings("MustBeClosedChecker") // closed at the end of the trial
    public void open() {
        int count = threads == 0 ? Runtime.getRuntime().availableProcessors() : threads;
        matmul = Backends.open(backend);
        kernels = new NativeKernels(matmul, count, true);
        arena = Arena.ofShared();
        System.out.printf("(%s, %s) ", KernelInfo.probe(count), matmul.info());
    }

    /// The team belongs to the thread that calls.
    @Setup(Level.Iteration)
    public void prepare() {
        kernels.prepare();
    }

    @TearDown
    public void close() {
        kernels.close();
        arena.close();
    }
}
