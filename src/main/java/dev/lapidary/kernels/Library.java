package dev.lapidary.kernels;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The native libraries we know by name: what they are called, where they are packaged, what comes with them.
enum Library {
    /// The one thread pool. The shim and oneDNN find it by its SONAME, so it is loaded before them.
    GOMP("gomp", "GNU OpenMP", "libgomp.so.1", "dnnl:3.13-1.5.14"),
    SHIM("shim", "the kernels", "libgemma_kernels.so", null),
    DNNL("dnnl", "oneDNN", "libdnnl.so.3", "dnnl:3.13-1.5.14"),
    OPENBLAS("openblas", "OpenBLAS", "libopenblas.so.0", "openblas:0.3.31-1.5.13"),
    MKL("mkl", "Intel MKL", "libmkl_rt.so.3", "mkl:2026.1-1.5.14");

    private final String key;
    private final String title;
    private final String file;
    private final @Nullable String bytedeco;

    Library(String key, String title, String file, @Nullable String bytedeco) {
        this.key = key;
        this.title = title;
        this.file = file;
        this.bytedeco = bytedeco;
    }

    String title() {
        return title;
    }

    String file() {
        return file;
    }

    /// The system property that names the file to load instead of any other.
    String property() {
        return "lapidary.native." + key;
    }

    /// Packaged files that are loaded before this one, in this order: the dynamic linker would look for them
    /// elsewhere.
    List<String> before() {
        return this == OPENBLAS ? List.of("libquadmath.so.0", "libgfortran.so.5") : List.of();
    }

    /// Everything packaged that has to lie in one folder with it.
    List<String> companions() {
        // libmkl_rt opens the layers and the code for the CPU by itself, out of its own folder
        Stream<String> beside = this == MKL
                ? Stream.of("core", "intel_lp64", "gnu_thread", "def", "avx2", "avx512", "avx10")
                        .map("libmkl_%s.so.3"::formatted)
                : Stream.of();
        return Stream.concat(before().stream(), beside).toList();
    }

    /// Where its file `name` is on the class path.
    String resource(Platform platform, String name) {
        String folder = bytedeco == null ? "native" : "org/bytedeco/" + bytedeco.substring(0, bytedeco.indexOf(':'));
        return "%s/%s/%s".formatted(folder, platform.folder(), name);
    }

    /// What to do where the packaged file is missing.
    String remedy(Platform platform) {
        if (bytedeco == null) {
            return "build it with ./build-native.sh";
        }
        String classifier = platform.folder() + (this == MKL ? "-redist" : "");
        return "add the dependency org.bytedeco:%s:%s to the class path".formatted(bytedeco, classifier);
    }

    /// The oldest glibc that the packaged file runs with; null if it was built for the machine it runs on.
    @Nullable
    String glibc() {
        return bytedeco == null ? null : "2.34";
    }
}
