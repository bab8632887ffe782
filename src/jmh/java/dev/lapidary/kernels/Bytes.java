package dev.lapidary.kernels;

import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/// Counts what was read and written: shown as gigabytes per second.
@AuxCounters
@State(Scope.Thread)
public class Bytes {
    public double gigabytes;

    void add(long bytes) {
        gigabytes += bytes / 1e9;
    }
}
