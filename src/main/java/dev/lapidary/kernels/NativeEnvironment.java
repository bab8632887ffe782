package dev.lapidary.kernels;

/// Variables that native libraries read while they are loaded. A user's own setting always wins.
final class NativeEnvironment {
    /// How often an idle OpenMP thread looks for work before it sleeps, about 25 ns each: 0.1 ms, twice what waking
    /// a sleeping thread costs, so that it bridges the gap between two kernels. GNU's default is 75 times as much;
    /// that is the price of every barrier where another process has the core that the last thread of a team needs.
    static final String SPIN_COUNT = "4000";

    private NativeEnvironment() {}

    static void beforeOpenMp(Host host) {
        if (host.environment("OMP_WAIT_POLICY") == null) {
            set(host, "GOMP_SPINCOUNT", SPIN_COUNT);
        }
    }

    static void beforeCblas(Host host) {
        // OpenBLAS starts its pool while it loads; with one thread it has none, and the jobs go to the OpenMP team
        set(host, "OPENBLAS_NUM_THREADS", "1");
        set(host, "MKL_THREADING_LAYER", "GNU");
        // A team that changes its size ends threads and starts them again
        set(host, "MKL_DYNAMIC", "FALSE");
    }

    private static void set(Host host, String name, String value) {
        if (host.environment(name) == null) {
            host.setEnvironment(name, value);
        }
    }
}
