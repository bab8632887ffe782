package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.Diagnostics;
import dev.lapidary.Diagnostics.BackendStatus;
import dev.lapidary.Diagnostics.KernelStatus;
import dev.lapidary.Options;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `lapidary doctor`.
@Command(
        name = "doctor",
        sortOptions = false,
        customSynopsis = "lapidary doctor [OPTIONS]",
        description =
                "What this machine offers and what was found on it: platform, JDK, native libraries, instruction set,"
                    + " backends, threads, memory. Exits with 1 and says what to do when something needed is missing.",
        footer = {
            "",
            "Examples:",
            "  lapidary doctor",
            "  lapidary doctor --backend cblas:/usr/lib/x86_64-linux-gnu/libblis.so.4 --threads 4",
            "  lapidary doctor --json"
        })
final class DoctorCommand implements Callable<Integer> {
    private final Console console;

    @Option(
            names = "--backend",
            paramLabel = "NAME",
            description =
                    "The backend that is needed: onednn, openblas, mkl, or cblas:/path/to/library.so. Default: onednn,"
                            + " or what -Dlapidary.backend says.")
    private @Nullable String backend;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads to ask for. Default: as many as the container's quota allows.")
    private @Nullable Integer threads;

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    DoctorCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Options defaults = Options.defaults();
        Options asked = backend == null ? defaults : defaults.withBackend(backend);
        Options options = threads == null ? asked : asked.withThreads(threads);
        Diagnostics found = Progress.during(console, "Looking", () -> Diagnostics.run(options));
        Machine machine = Machine.current();
        List<String> missing = missing(found);
        if (json) {
            JsonObject object = machine.json();
            DiagnosticsJson.add(object, found);
            object.add("missing", DiagnosticsJson.strings(missing));
            Json.print(console, object);
        } else {
            print(machine, found);
        }
        missing.forEach(console::note);
        return missing.isEmpty() ? Failures.OK : Failures.FAILED;
    }

    /// What keeps a model from running, and what to do about it.
    private static List<String> missing(Diagnostics found) {
        List<String> missing = new ArrayList<>();
        if (!found.kernels().problem().isEmpty()) {
            missing.add("the kernels are missing: " + found.kernels().problem());
        }
        BackendStatus needed = found.backends().getFirst();
        if (!needed.problem().isEmpty()) {
            missing.add("the backend %s is missing: %s".formatted(needed.spec(), needed.problem()));
        }
        return missing;
    }

    private void print(Machine machine, Diagnostics found) {
        PrintStream out = console.out();
        out.println("platform   " + machine.platform());
        out.println("processor  " + machine.processor());
        out.println("threads    " + threads(machine, found.kernels()));
        out.println("memory     " + memory(found.availableMemoryBytes(), machine.maxHeapBytes()));
        out.println("java       " + machine.java());
        if (found.kernels().problem().isEmpty()) {
            out.println("kernels    " + found.kernels().isa());
        }
        out.println();
        out.println("backends");
        String inUse = found.backends().getFirst().spec();
        for (BackendStatus one : found.backends()) {
            String mark = one.spec().equals(inUse) ? " (in use)" : "";
            out.println("  %-9s %s%s".formatted(one.spec(), backend(one), mark));
        }
        out.println();
        out.println("libraries");
        found.libraries().forEach(library -> out.println("  %s: %s".formatted(library.name(), library.path())));
    }

    private static String backend(BackendStatus one) {
        return one.problem().isEmpty()
                ? "%s, for %s, %d threads (%s)".formatted(one.version(), one.core(), one.threads(), one.threading())
                : "not here; doctor --backend %s tells why".formatted(one.spec());
    }

    private static String threads(Machine machine, KernelStatus kernels) {
        String quota = machine.cpuQuota() == 0 ? "no quota" : Amounts.text("quota %.2f", machine.cpuQuota());
        String running = kernels.problem().isEmpty()
                ? "%d asked, %d running".formatted(kernels.threadsAsked(), kernels.threadsRunning())
                : "%d asked".formatted(kernels.threadsAsked());
        String hint = kernels.problem().isEmpty() && kernels.threadsRunning() < kernels.threadsAsked()
                ? "; OMP_THREAD_LIMIT or OMP_DYNAMIC in the environment holds them back"
                : "";
        return "%s; %d processors, %s%s".formatted(running, machine.processors(), quota, hint);
    }

    private static String memory(long availableBytes, long maxHeapBytes) {
        String available = availableBytes == Long.MAX_VALUE ? "unknown" : Amounts.bytes(availableBytes);
        return "%s available; Java heap up to %s".formatted(available, Amounts.bytes(maxHeapBytes));
    }
}
