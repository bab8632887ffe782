package dev.lapidary.kernels;

/// Variables that native libraries read while they are loaded. A user's own setting always wins.
final class NativeEnvironment {
    /// How often an idle OpenMP thread looks for work before it sleeps. See `docs/native.md`
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
    }

    private static void set(Host host, String name, String value) {
        if (host.environment(name) == null) {
            host.setEnvironment(name, value);
        }
    }
}
