package dev.lapidary.kernels;

import java.util.function.Consumer;

/// Native kernels for the length of a test, on the thread that calls them.
final class Natives {
    private Natives() {}

    /// Two threads, exact arithmetic.
    static void run(Consumer<NativeKernels> test) {
        run(Backends.DEFAULT, 2, false, test);
    }

    static void run(String backend, int threads, boolean bf16, Consumer<NativeKernels> test) {
        DriverThread.run(() -> {
            try (NativeKernels kernels = new NativeKernels(Backends.open(backend), threads, bf16)) {
                kernels.prepare();
                test.accept(kernels);
            }
        });
    }
}
