package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Counts multiplications and additions: shown as GFLOP/s.
@AuxCounters
@State(Scope.Thread)
public class Flops {
    public double gflop;

    /// A product of `[m, k]` and `[n, k]`.
    void add(long m, long n, long k) {
        gflop += 2e-9 * m * n * k;
    }
}
