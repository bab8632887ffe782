package dev.lapidary.cli;

import com.google.gson.JsonObject;
import dev.lapidary.Benchmark;
import dev.lapidary.Gemma;
import dev.lapidary.MachineLimits;
import dev.lapidary.Options;
import dev.lapidary.Profile;
import dev.lapidary.Workload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary bench`.
@Command(
        name = "bench",
        sortOptions = false,
        customSynopsis = "lapidary bench [-m MODEL | --shape NAME] [OPTIONS]",
        description =
                "Tokens per second of prefill (a prompt at once), decode (one token after the other) and batches (many"
                    + " sequences decoding together), and of a vision tower an image; medians of several runs after"
                    + " warm-up, beside the most that this machine's memory and arithmetic allow, measured in the same"
                    + " run.",
        footer = {
            "",
            "Examples:",
            "  lapidary bench --model gemma-3-1b-it",
            "  lapidary bench --shape gemma-2-2b --report gemma-2-2b.html",
            "  lapidary bench --shape gemma-3-1b --prefill 512 --depth 16,4096 --batch 1,2,4,8,16 --json",
            "  lapidary bench --shape gemma-3-1b --sweep weights=bf16,q8_0,q4_0",
            "  lapidary bench --shape gemma-3-1b --sweep backend=onednn,openblas --sweep threads=1,2"
        })
final class BenchCommand implements Callable<Integer> {
    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--shape",
            paramLabel = "NAME",
            description =
                    "In place of a model: a published shape on random weights, such as gemma-3-1b or gemma-2-2b; no"
                            + " file is needed.")
    private @Nullable String shape;

    @Option(
            names = "--sweep",
            paramLabel = "SETTING=A,B,...",
            description =
                    "Runs everything with each value of a setting: backend, chunk, compute, head-weights, threads or"
                            + " weights. Several sweeps: every combination.")
    private Map<String, String> sweeps = new LinkedHashMap<>();

    @Mixin
    private WorkloadOptions workloads = new WorkloadOptions();

    @Option(
            names = "--profile",
            description = "Shows where the time of each workload goes: the kernels' operations, and what is outside"
                    + " of them.")
    private boolean profile;

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    @Option(
            names = "--report",
            paramLabel = "FILE.html",
            description = "Writes a page with the same numbers as plots and a table.")
    private @Nullable Path report;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        if (shape != null && model.isAsked()) {
            throw new IllegalArgumentException("--shape: got %s beside --model, need one of them".formatted(shape));
        }
        List<Options> settings = Sweep.of(model.options(), sweeps);
        return console.work(() -> {
            List<BenchRun> runs = new ArrayList<>();
            for (Options options : settings) {
                try (Gemma gemma = open(options)) {
                    BenchRun run = measure(gemma, options);
                    runs.add(run);
                    if (!json) {
                        print(run);
                    }
                }
            }
            if (json) {
                Json.print(console, json(runs));
            }
            if (report != null) {
                Files.writeString(report, new BenchReport(title(), Machine.current(), runs).html());
                console.note("wrote " + report);
            }
            return Failures.OK;
        });
    }

    private Gemma open(Options options) throws Exception {
        String name = shape;
        return name == null
                ? model.open(console, options)
                : Progress.during(console, "Making " + name, () -> Gemma.random(name, options));
    }

    private String title() {
        return shape == null ? model.name() : shape + " (random weights)";
    }

    private BenchRun measure(Gemma gemma, Options options) {
        List<Workload> todo = workloads.workloads(gemma.maxPositions(), gemma.tokensPerImage(), !gemma.embedsTexts());
        List<Measurement> measurements = new ArrayList<>();
        long runs = (long) (workloads.warmUp() + workloads.repetitions()) * todo.size();
        try (Benchmark benchmark = Benchmark.of(gemma);
                Progress progress = Progress.of(console, "Bench", " runs", runs)) {
            MachineLimits before = benchmark.limits();
            MachineLimits best = before;
            for (Workload workload : todo) {
                double[] seconds = benchmark.seconds(
                        workload, workloads.warmUp(), workloads.repetitions(), () -> progress.step(1));
                MachineLimits after = benchmark.limits();
                measurements.add(new Measurement(
                        workload,
                        benchmark.work(workload),
                        benchmark.arithmetic(),
                        before.max(after),
                        profile ? benchmark.profile(workload, 1, workloads.repetitions()) : null,
                        seconds));
                best = best.max(after);
                before = after;
            }
            return new BenchRun(gemma.describe(), benchmark.weightFormat(), options, best, measurements);
        }
    }

    private void print(BenchRun run) {
        MachineLimits limits = run.limits();
        console.out()
                .println("%s: %s parameters, %s"
                        .formatted(
                                run.model().architecture(),
                                Amounts.count(run.model().modules().parameters()),
                                run.setting()));
        console.out().println("This machine at most: " + limits(limits));
        Table table = new Table(
                "", "median tokens/s", "slowest", "fastest", "median time", "GB/s", "GFLOP/s", "of what is possible");
        for (Measurement one : run.measurements()) {
            table.row(
                    one.workload().name(),
                    Amounts.text("%.1f", one.medianRate()),
                    Amounts.text("%.1f", one.slowestRate()),
                    Amounts.text("%.1f", one.fastestRate()),
                    Amounts.seconds(one.medianSeconds()),
                    Amounts.giga(one.bytesPerSecond()),
                    Amounts.giga(one.operationsPerSecond()),
                    "%s of %s".formatted(Amounts.percent(one.ofLimit()), one.limitName()));
        }
        table.print(console.out());
        for (Measurement one : run.measurements()) {
            if (one.workload().phase() == Workload.Phase.IMAGE) {
                console.out()
                        .println("%s images/s through the vision tower"
                                .formatted(Amounts.text("%.3g", 1 / one.medianSeconds())));
            }
        }
        for (Measurement one : run.measurements()) {
            if (one.profile() != null) {
                print(one.workload().name(), one.profile());
            }
        }
    }

    private void print(String name, Profile profiled) {
        console.out().println();
        console.out().println("%s without sampling: %s".formatted(name, Amounts.seconds(profiled.seconds())));
        Table table = new Table("", "calls", "time", "each", "share");
        for (Profile.Part part : profiled.parts()) {
            table.row(
                    part.operation(),
                    Amounts.text("%.0f", part.calls()),
                    Amounts.seconds(part.seconds()),
                    Amounts.seconds(part.seconds() / part.calls()),
                    Amounts.percent(part.seconds() / profiled.seconds()));
        }
        double outside = profiled.secondsOutside();
        table.row("outside kernels", "", Amounts.seconds(outside), "", Amounts.percent(outside / profiled.seconds()));
        table.print(console.out());
    }

    /// `read 31.2 GB/s, F32 220.5 GFLOP/s, BF16 436.0 GFLOP/s (matmul), int8 870.1 GOP/s`.
    static String limits(MachineLimits limits) {
        StringBuilder text = new StringBuilder("read %s GB/s, F32 %s GFLOP/s"
                .formatted(Amounts.giga(limits.readBytesPerSecond()), Amounts.giga(limits.f32PerSecond())));
        if (limits.bf16PerSecond() > 0) {
            text.append(", BF16 %s GFLOP/s (%s)".formatted(Amounts.giga(limits.bf16PerSecond()), limits.bf16By()));
        }
        if (limits.int8PerSecond() > 0) {
            text.append(", int8 %s GOP/s".formatted(Amounts.giga(limits.int8PerSecond())));
        }
        return text.toString();
    }

    private JsonObject json(List<BenchRun> runs) {
        JsonObject object = new JsonObject();
        object.addProperty("model", shape == null ? model.name() : shape);
        object.addProperty("random_weights", shape != null);
        object.addProperty("architecture", runs.getFirst().model().architecture());
        object.addProperty("parameters", runs.getFirst().model().modules().parameters());
        object.add("machine", Machine.current().json());
        object.addProperty("warm_up", workloads.warmUp());
        object.addProperty("repetitions", workloads.repetitions());
        object.add("runs", Json.array(runs.stream().map(BenchRun::json).toList()));
        return object;
    }
}
