package dev.lapidary;

import java.util.List;

/// Where the time of a workload goes.
///
/// @param seconds of one run, the mean of several
/// @param parts   operations of the kernels, as `dev.lapidary.kernels.Kernels` calls them
public record Profile(double seconds, List<Part> parts) {
    /// Copies the list.
    public Profile {
        parts = List.copyOf(parts);
    }

    /// What is left when the kernels are taken away: the decoder's own code in Java.
    public double secondsOutside() {
        return seconds - parts.stream().mapToDouble(Part::seconds).sum();
    }

    /// One operation.
    ///
    /// @param operation its name
    /// @param calls     in one run
    /// @param seconds   of one run, all calls together
    public record Part(String operation, double calls, double seconds) {}
}
