package dev.lapidary;

import java.util.ArrayList;
import java.util.List;

/// Backends that tests run on: the packaged ones always, and whatever the system property `lapidary.test.backends`
/// adds, separated by commas (`mkl,cblas:/usr/lib/x86_64-linux-gnu/libblis.so.4`).
public final class TestBackends {
    private TestBackends() {}

    /// Specs as [Options#backend] takes them.
    public static List<String> all() {
        List<String> specs = new ArrayList<>(List.of("onednn", "openblas"));
        String more = System.getProperty("lapidary.test.backends", "");
        if (!more.isBlank()) {
            specs.addAll(List.of(more.split(",", -1)));
        }
        return specs;
    }
}
