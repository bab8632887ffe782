package dev.lapidary.kernels;

import static dev.lapidary.bindings.shim.GemmaKernels.gemma_isa;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_probe_threads;
import static dev.lapidary.bindings.shim.GemmaKernels.gemma_set_threads;

/// What the shim says of itself on this machine.
///
/// @param isa     the instruction set its kernels use: `portable`, `avx2`, `avx2-vnni`, `avx512`, `avx512-vnni`,
///                `avx512-bf16` or `avx512-amx`
/// @param threads how many threads took part in a parallel region
public record KernelInfo(String isa, int threads) {
    /// Loads the shim and runs a parallel region on a team of the calling thread.
    ///
    /// @param threads how many are asked for
    /// @throws LinkageError if the shim cannot be loaded
    public static KernelInfo probe(int threads) {
        NativeLibrary.kernels();
        gemma_set_threads(threads);
        return new KernelInfo(gemma_isa().getString(0), gemma_probe_threads());
    }
}
