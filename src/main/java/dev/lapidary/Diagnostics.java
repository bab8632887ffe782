package dev.lapidary;

import dev.lapidary.kernels.Backend;
import dev.lapidary.kernels.BackendInfo;
import dev.lapidary.kernels.Backends;
import dev.lapidary.kernels.DriverThread;
import dev.lapidary.kernels.KernelInfo;
import dev.lapidary.kernels.NativeLibrary;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What this process finds of native code and memory, for people who want to know why something is slow or does not
/// work.
///
/// @param kernels              the engine's own kernels
/// @param backends             who can multiply matrices, the one in use first
/// @param libraries            every file of native code that was loaded for them
/// @param availableMemoryBytes what the machine and the container have left
public record Diagnostics(
        KernelStatus kernels, List<BackendStatus> backends, List<LoadedLibrary> libraries, long availableMemoryBytes) {
    private static final List<String> KNOWN = List.of("onednn", "openblas", "mkl");

    /// Copies the lists.
    public Diagnostics {
        backends = List.copyOf(backends);
        libraries = List.copyOf(libraries);
    }

    /// Loads everything there is and tries it. What cannot be loaded is told in the result, not thrown.
    ///
    /// @throws IllegalArgumentException if the options name no backend
    public static Diagnostics run(Options options) {
        KernelStatus kernels = kernels(options.threads());
        List<BackendStatus> backends = Stream.concat(Stream.of(options.backend()), KNOWN.stream())
                .distinct()
                .map(spec -> backend(spec, options.threads()))
                .toList();
        List<LoadedLibrary> libraries = NativeLibrary.loaded().stream()
                .map(library -> new LoadedLibrary(library.name(), library.path()))
                .toList();
        return new Diagnostics(kernels, backends, libraries, AvailableMemory.bytes());
    }

    private static KernelStatus kernels(int threads) {
        try {
            KernelInfo info = DriverThread.call(() -> KernelInfo.probe(threads));
            return new KernelStatus(info.isa(), threads, info.threads(), "");
        } catch (LinkageError e) {
            return new KernelStatus("", threads, 0, problem(e));
        }
    }

    private static BackendStatus backend(String spec, int threads) {
        try {
            BackendInfo info = DriverThread.call(() -> {
                Backend backend = Backends.open(spec);
                backend.threads(threads);
                return backend.info();
            });
            return new BackendStatus(
                    spec, info.library().toString(), info.version(), info.core(), info.threads(), info.threading(), "");
        } catch (LinkageError e) {
            return new BackendStatus(spec, "", "", "", 0, "", problem(e));
        }
    }

    private static String problem(LinkageError error) {
        return error.getMessage() == null ? error.toString() : error.getMessage();
    }

    /// The engine's own kernels.
    ///
    /// @param isa            the instruction set they use; empty if they cannot be loaded
    /// @param threadsAsked   how many threads were asked for
    /// @param threadsRunning how many took part in a parallel region
    /// @param problem        why they cannot be loaded; empty if they can
    public record KernelStatus(String isa, int threadsAsked, int threadsRunning, String problem) {}

    /// A backend.
    ///
    /// @param spec      what chooses it: `onednn`
    /// @param library   the file that computes
    /// @param version   the library's own words
    /// @param core      the CPU the library computes for
    /// @param threads   how many threads it uses
    /// @param threading whose threads those are
    /// @param problem   why it cannot be used; empty if it can, and then the rest is not
    public record BackendStatus(
            String spec, String library, String version, String core, int threads, String threading, String problem) {}

    /// A file of native code.
    ///
    /// @param name what people call it
    /// @param path where it was loaded from
    public record LoadedLibrary(String name, Path path) {}
}
