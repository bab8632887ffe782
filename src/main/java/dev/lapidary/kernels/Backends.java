package dev.lapidary.kernels;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/// The backends by name. A library lives as long as the process, so each backend is opened once.
public final class Backends {
    /// What is used where nothing else is asked for.
    public static final String DEFAULT = "onednn";

    /// The name of a CBLAS that did not come with us.
    static final String ANY_CBLAS = "cblas";

    private static final String CBLAS = ANY_CBLAS + ":";
    private static final Map<String, Backend> OPEN = new HashMap<>();

    private Backends() {}

    /// The backend for `spec`: `onednn`, `openblas`, `mkl` or `cblas:` and the path of a CBLAS library with 32-bit
    /// integers.
    ///
    /// Throws `IllegalArgumentException` for any other spec, `LinkageError` if its library cannot be used.
    public static Backend open(String spec) {
        synchronized (OPEN) {
            Backend backend = OPEN.get(spec);
            if (backend == null) {
                backend = create(spec);
                OPEN.put(spec, backend);
            }
            return backend;
        }
    }

    private static Backend create(String spec) {
        if (spec.startsWith(CBLAS) && spec.length() > CBLAS.length()) {
            return new Cblas(ANY_CBLAS, NativeLibrary.cblas(Path.of(spec.substring(CBLAS.length()))));
        }
        return switch (spec) {
            case "onednn" -> new OneDnn(NativeLibrary.oneDnn());
            case "openblas" -> new Cblas(spec, NativeLibrary.cblas(Library.OPENBLAS));
            case "mkl" -> new Cblas(spec, NativeLibrary.cblas(Library.MKL));
            default ->
                throw new IllegalArgumentException(
                        "backend: got \"%s\", need onednn, openblas, mkl or cblas:/path/to/library.so".formatted(spec));
        };
    }
}
