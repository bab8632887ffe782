package dev.lapidary;

import java.util.ArrayList;
import java.util.List;

/// Backends that tests run on: the packaged ones always, and whatever the system property `lapidary.test.backends`
/// adds, separated by commas (`mkl,cblas:/usr/lib/x86_64-linux-gnu/libblis.so.4`).
public final class TestBackends {
    private TestBackends() {}

    /// Those of [#all] that read nothing behind their operands, so that these may end at guard pages.
    public static List<String> inBounds() {
        return all().stream().filter(spec -> !spec.startsWith("cblas:")).toList();
    }

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
