package dev.lapidary.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.lapidary.Capacity;
import dev.lapidary.Gemma;
import dev.lapidary.Options;
import dev.lapidary.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `lapidary bench`.
@Command(
        name = "bench",
        sortOptions = false,
        customSynopsis = "lapidary bench [-m DIR] [OPTIONS]",
        description =
                "Tokens per second of prefill (a prompt at once) and decode (one token after the other), medians of"
                        + " several runs after warm-up.",
        footer = {
            "",
            "Examples:",
            "  lapidary bench --model gemma-3-1b-it",
            "  lapidary bench --model gemma-3-1b-it --backend openblas --threads 4 --prefill 512 --depth 16,4096 --json"
        })
final class BenchCommand implements Callable<Integer> {
    private static final List<Integer> USUAL_PREFILLS = List.of(16, 128, 512);
    private static final List<Integer> USUAL_DEPTHS = List.of(16, 512);

    private final Console console;

    @Mixin
    private ModelOptions model = new ModelOptions();

    @Option(
            names = "--prefill",
            split = ",",
            paramLabel = "N",
            description = "Lengths of prompts. Default: 16,128,512, as far as the model has positions.")
    private @Nullable List<Integer> prefills;

    @Option(
            names = "--depth",
            split = ",",
            paramLabel = "N",
            description = "Tokens before those that are decoded. Default: 16,512, as far as the model has positions.")
    private @Nullable List<Integer> depths;

    @Option(
            names = "--decode",
            paramLabel = "N",
            defaultValue = "32",
            description = "Tokens decoded at each depth. Default: ${DEFAULT-VALUE}.")
    private int decode;

    @Option(
            names = "--repetitions",
            paramLabel = "N",
            defaultValue = "5",
            description = "Runs that count. Default: ${DEFAULT-VALUE}.")
    private int repetitions;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "2",
            description = "Runs before that do not count. Default: ${DEFAULT-VALUE}.")
    private int warmUp;

    @Option(names = "--json", description = "Prints one object.")
    private boolean json;

    BenchCommand(Console console) {
        this.console = console;
    }

    @Override
    public Integer call() throws Exception {
        Options options = model.options();
        return console.work(() -> {
            try (Gemma gemma = model.open(console)) {
                List<Workload> workloads = workloads(gemma.maxPositions());
                List<Measurement> measurements = measure(gemma, workloads);
                if (json) {
                    Json.print(console, json(gemma, options, measurements));
                } else {
                    print(gemma, options, measurements);
                }
                return Failures.OK;
            }
        });
    }

    private List<Workload> workloads(int positions) {
        List<Workload> workloads = new ArrayList<>();
        Stream<Workload> wanted = Stream.concat(
                (prefills == null ? USUAL_PREFILLS : prefills).stream().map(Workload::prefill),
                (depths == null ? USUAL_DEPTHS : depths).stream().map(depth -> Workload.decode(depth, decode)));
        for (Workload workload : wanted.toList()) {
            boolean usual = workload.decodes() ? depths == null : prefills == null;
            if (workload.capacity() <= positions) {
                workloads.add(workload);
            } else if (!usual) {
                throw new IllegalArgumentException("%s: got %d tokens, need at most %d, the positions of the model"
                        .formatted(workload.name(), workload.capacity(), positions));
            }
        }
        return workloads;
    }

    private List<Measurement> measure(Gemma gemma, List<Workload> workloads) {
        if (repetitions < 1 || warmUp < 0) {
            throw new IllegalArgumentException(
                    "--repetitions, --warm-up: got %d and %d, need at least 1 and 0".formatted(repetitions, warmUp));
        }
        List<Measurement> measurements = new ArrayList<>();
        int runs = warmUp + repetitions;
        try (Progress progress = Progress.of(console, "Bench", " runs", (long) runs * workloads.size())) {
            for (Workload workload : workloads) {
                double[] seconds = new double[repetitions];
                try (Session session = gemma.newSession(Capacity.tokens(workload.capacity()))) {
                    for (int run = 0; run < runs; run++) {
                        seconds[Math.max(0, run - warmUp)] = workload.run(session, gemma.vocab());
                        progress.step(1);
                    }
                }
                measurements.add(new Measurement(workload, seconds));
            }
        }
        return measurements;
    }

    private void print(Gemma gemma, Options options, List<Measurement> measurements) {
        console.out()
                .println("%s: %s parameters, backend %s, %d threads, compute %s, chunk %d"
                        .formatted(
                                gemma.describe().architecture(),
                                Amounts.count(gemma.describe().modules().parameters()),
                                options.backend(),
                                options.threads(),
                                options.compute().name().toLowerCase(Locale.ROOT),
                                options.chunk()));
        Table table = new Table("", "median tokens/s", "slowest", "fastest", "median time");
        for (Measurement one : measurements) {
            table.row(
                    one.workload().name(),
                    Amounts.text("%.1f", one.medianRate()),
                    Amounts.text("%.1f", one.slowestRate()),
                    Amounts.text("%.1f", one.fastestRate()),
                    Amounts.seconds(one.medianSeconds()));
        }
        table.print(console.out());
    }

    private JsonObject json(Gemma gemma, Options options, List<Measurement> measurements) {
        JsonArray results = new JsonArray();
        measurements.forEach(one -> results.add(one.json()));
        JsonObject json = new JsonObject();
        json.addProperty("model", model.folder().toString());
        json.addProperty("architecture", gemma.describe().architecture());
        json.addProperty("parameters", gemma.describe().modules().parameters());
        json.addProperty("backend", options.backend());
        json.addProperty("threads", options.threads());
        json.addProperty("compute", options.compute().name().toLowerCase(Locale.ROOT));
        json.addProperty("chunk", options.chunk());
        json.addProperty("warm_up", warmUp);
        json.add("results", results);
        return json;
    }
}
