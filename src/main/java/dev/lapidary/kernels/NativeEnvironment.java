package dev.lapidary.kernels;

/// Variables that native libraries read while they are loaded. A user's own setting always wins.
final class NativeEnvironment {
    /// How often an idle OpenMP thread looks for work before it sleeps, 10 to 25 ns each: enough for the gap
    /// between two kernels, and no more, since every barrier waits that long where another process has a core of
    /// the team. Decoding the demo model with two threads, tokens/s: on idle cores 950 without spinning, 900 with
    /// 500, 1750 with this or more; on cores shared with ten other processes each, 1000, 400 with this, 4 with
    /// GNU's own 300000.
    static final String SPIN_COUNT = "2000";

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
