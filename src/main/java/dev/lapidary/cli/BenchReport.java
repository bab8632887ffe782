package dev.lapidary.cli;

import dev.lapidary.Workload.Phase;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/// The page that `lapidary bench --report` writes: nothing in it comes from elsewhere.
///
/// @param title   which model
/// @param machine where it ran
/// @param runs    one per setting
record BenchReport(String title, Machine machine, List<BenchRun> runs) {
    private static final int BAR_WIDTH = 860;
    private static final int BAR_HEIGHT = 30;
    private static final int BAR_LEFT = 190;
    private static final int BAR_FULL = 420;

    private static final String STYLE = """
        :root { color-scheme: light dark; --ink: #1f2430; --soft: #5d6575; --faint: #d9dde5; --page: #fff;
          --memory: #1f6fc4; --arithmetic: #c4551f; --bar: #e9ecf2; }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #9aa3b5; --faint: #333a48; --page: #151922;
          --memory: #6cb0f5; --arithmetic: #f0925e; --bar: #262c38; } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 900px;
          margin: 2rem auto; padding: 0 1rem; }
        h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
        h3 { font-size: 1rem; margin: 1.6rem 0 .3rem; } p { margin: .3rem 0; } .soft { color: var(--soft); }
        svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; }
        .pair { display: flex; flex-wrap: wrap; gap: 1rem; } .pair > div { flex: 1 1 380px; }
        .grid { stroke: var(--faint); } .tick, .axis { fill: var(--soft); } .label { fill: var(--ink); }
        .note { fill: var(--soft); } .roof { stroke: var(--ink); stroke-width: 2; }
        .unused { stroke: var(--soft); stroke-width: 1; stroke-dasharray: 4 4; }
        .memory { fill: var(--memory); } .arithmetic { fill: var(--arithmetic); } .bar { fill: var(--bar); }
        .curve { fill: none; stroke: var(--memory); stroke-width: 2; } .spread { stroke: var(--soft); }
        .strong { fill: var(--ink); font-weight: 600; }
        .scroll { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
        th, td { text-align: right; padding: .25rem .6rem; border-bottom: 1px solid var(--faint); white-space: nowrap; }
        th { color: var(--soft); font-weight: 500; } th:first-child, td:first-child { text-align: left; }
        """;

    BenchReport {
        runs = List.copyOf(runs);
    }

    String html() {
        StringBuilder page = new StringBuilder("""
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"/>
            <meta name="viewport" content="width=device-width, initial-scale=1"/>
            <title>Lapidary bench: %s</title>
            <style>
            %s</style></head><body>
            <h1>%s</h1>
            <p class="soft">%s, %d processors, %s; Java %s</p>
            """.formatted(
                        Svg.escape(title),
                        STYLE,
                        Svg.escape(title),
                        Svg.escape(machine.processor()),
                        machine.processors(),
                        Svg.escape(machine.platform()),
                        Runtime.version()));
        runs.forEach(run -> append(page, run));
        return page.append("</body></html>\n").toString();
    }

    private static void append(StringBuilder page, BenchRun run) {
        page.append("<h2>").append(Svg.escape(run.setting())).append("</h2>\n");
        page.append("<p>")
                .append(Svg.escape(run.model().architecture()))
                .append(", ")
                .append(Amounts.count(run.model().modules().parameters()))
                .append(" parameters. This machine at most: ")
                .append(Svg.escape(BenchCommand.limits(run.limits())))
                .append(".</p>\n");
        if (run.measurements().isEmpty()) {
            return;
        }
        page.append("<h3>How close to what this machine can do</h3>\n")
                .append("<p class=\"soft\">Full is the limit that binds: ")
                .append("<span style=\"color:var(--memory)\">the time to read the bytes</span> or ")
                .append("<span style=\"color:var(--arithmetic)\">the time of the products</span>, ")
                .append("both measured right before and after.</p>\n")
                .append(bars(run.measurements()))
                .append("<h3>Roofline</h3>\n")
                .append(new Roofline(run).html())
                .append("<div class=\"pair\">\n");
        curves(page, run.measurements());
        page.append("</div>\n<h3>Numbers</h3>\n").append(table(run.measurements()));
    }

    private static String bars(List<Measurement> measurements) {
        int height = BAR_HEIGHT * measurements.size() + 6;
        Svg svg = new Svg("Share of the limit that binds", BAR_WIDTH, height);
        double y = 4;
        for (Measurement one : measurements) {
            double share = Math.min(1, one.ofLimit());
            svg.text("label", BAR_LEFT - 10, y + 16, "end", one.workload().name());
            svg.rectangle("bar", BAR_LEFT, y, BAR_FULL, BAR_HEIGHT - 8.0);
            svg.rectangle(
                    one.boundByMemory() ? "memory" : "arithmetic", BAR_LEFT, y, share * BAR_FULL, BAR_HEIGHT - 8.0);
            svg.text(
                    "strong",
                    BAR_LEFT + BAR_FULL + 10.0,
                    y + 16,
                    "start",
                    "%s of %s".formatted(Amounts.percent(one.ofLimit()), one.limitName()));
            svg.text("note", BAR_WIDTH, y + 16, "end", Amounts.text("%.1f tokens/s", one.medianRate()));
            y += BAR_HEIGHT;
        }
        return svg.html();
    }

    private static void curves(StringBuilder page, List<Measurement> measurements) {
        curve(
                page,
                of(Phase.PREFILL, 0, measurements),
                new Curve("Prefill over the length of the prompt", "tokens of the prompt", "tokens/s"),
                one -> one.workload().tokens(),
                false);
        curve(
                page,
                of(Phase.DECODE, 0, measurements),
                new Curve("Time of a token over its depth", "tokens before", "ms"),
                one -> one.workload().depth(),
                true);
        measurements.stream()
                .filter(one -> one.workload().phase() == Phase.BATCH)
                .map(one -> one.workload().depth())
                .distinct()
                .forEach(depth -> curve(
                        page,
                        of(Phase.BATCH, depth, measurements),
                        new Curve("Sequences decoding together at " + depth, "sequences", "tokens/s of all together"),
                        one -> one.workload().sequences(),
                        false));
    }

    private static List<Measurement> of(Phase phase, int depth, List<Measurement> measurements) {
        return measurements.stream()
                .filter(one -> one.workload().phase() == phase
                        && (depth == 0 || one.workload().depth() == depth))
                .toList();
    }

    /// Nothing for fewer than two points.
    private static void curve(
            StringBuilder page,
            List<Measurement> measurements,
            Curve curve,
            ToDoubleFunction<Measurement> x,
            boolean times) {
        List<Measurement> sorted =
                measurements.stream().sorted(Comparator.comparingDouble(x)).toList();
        if (sorted.stream().mapToDouble(x).distinct().count() < Math.max(2, sorted.size())) {
            return;
        }
        page.append("<div><h3>").append(Svg.escape(curve.title())).append("</h3>\n");
        page.append(
                times
                        ? curve.html(
                                sorted,
                                x,
                                one -> 1e3 / one.medianRate(),
                                one -> 1e3 / one.fastestRate(),
                                one -> 1e3 / one.slowestRate())
                        : curve.html(
                                sorted,
                                x,
                                Measurement::medianRate,
                                Measurement::slowestRate,
                                Measurement::fastestRate));
        page.append("</div>\n");
    }

    private static String table(List<Measurement> measurements) {
        StringBuilder table = new StringBuilder("""
            <div class="scroll"><table><thead><tr><th></th><th>median tokens/s</th><th>slowest</th><th>fastest</th>\
            <th>median time</th><th>GB/s</th><th>GFLOP/s</th><th>of read</th><th>of peak</th></tr></thead><tbody>
            """);
        for (Measurement one : measurements) {
            table.append("<tr>");
            for (String cell : List.of(
                    one.workload().name(),
                    Amounts.text("%.1f", one.medianRate()),
                    Amounts.text("%.1f", one.slowestRate()),
                    Amounts.text("%.1f", one.fastestRate()),
                    Amounts.seconds(one.medianSeconds()),
                    Amounts.giga(one.bytesPerSecond()),
                    Amounts.giga(one.operationsPerSecond()),
                    Amounts.percent(one.ofBandwidth()),
                    Amounts.percent(one.ofPeak()))) {
                table.append("<td>").append(Svg.escape(cell)).append("</td>");
            }
            table.append("</tr>\n");
        }
        return table.append("</tbody></table></div>\n").toString();
    }
}
