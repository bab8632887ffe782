package dev.lapidary.cli;

import dev.lapidary.Arithmetic;
import dev.lapidary.MachineLimits;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/// The roofline plot (Williams, Waterman and Patterson 2009): operations per second over operations per byte. Nothing
/// can be above the slope, which is the read bandwidth, nor above the level of its arithmetic.
final class Roofline {
    private static final int WIDTH = 860;
    private static final int HEIGHT = 430;
    private static final int LEFT = 64;
    private static final int RIGHT = WIDTH - 150;
    private static final int TOP = 32;
    private static final int BOTTOM = HEIGHT - 46;
    private static final double GIGA = 1e9;
    private static final int LABEL_HEIGHT = 15;

    private final MachineLimits limits;
    private final List<Measurement> measurements;
    private final Axis intensity;
    private final Axis speed;

    Roofline(BenchRun run) {
        limits = run.limits();
        measurements = run.measurements();
        List<Double> intensities = new ArrayList<>();
        List<Double> speeds = new ArrayList<>();
        for (Measurement one : measurements) {
            intensities.add(intensity(one));
            speeds.add(one.operationsPerSecond() / GIGA);
        }
        for (Roof roof : roofs()) {
            intensities.add(2 * roof.operationsPerSecond / limits.readBytesPerSecond());
            speeds.add(roof.operationsPerSecond / GIGA * 1.05);
        }
        intensity = Axis.logarithmic(least(intensities) / 1.5, most(intensities), LEFT, RIGHT);
        speed = Axis.logarithmic(least(speeds) / 4, most(speeds), BOTTOM, TOP);
    }

    String html() {
        Svg svg = new Svg("Roofline: operations per second over operations per byte", WIDTH, HEIGHT);
        for (double tick : intensity.ticks()) {
            double x = intensity.at(tick);
            svg.line("grid", x, TOP, x, BOTTOM);
            svg.text("tick", x, BOTTOM + 16, "middle", Amounts.text(tick < 1 ? "%.2f" : "%.0f", tick));
        }
        for (double tick : speed.ticks()) {
            double y = speed.at(tick);
            svg.line("grid", LEFT, y, RIGHT, y);
            svg.text("tick", LEFT - 6, y + 4, "end", Amounts.text(tick < 1 ? "%.2f" : "%.0f", tick));
        }
        svg.text(
                "axis", (LEFT + RIGHT) / 2.0, HEIGHT - 10, "middle", "operations per byte of weights, keys and values");
        svg.text("axis", LEFT - 48, TOP - 16, "start", "GFLOP/s");
        drawRoofs(svg);
        drawMeasurements(svg);
        return svg.html();
    }

    private void drawRoofs(Svg svg) {
        List<Roof> roofs = roofs();
        double highest =
                roofs.stream().mapToDouble(Roof::operationsPerSecond).max().orElse(0);
        double bandwidth = limits.readBytesPerSecond();
        double begin = Math.max(intensity.least(), speed.least() * GIGA / bandwidth);
        double end = highest / bandwidth;
        if (begin < end) {
            double x = intensity.at(begin);
            double y = level(begin * bandwidth);
            double slope = Math.toDegrees(Math.atan2(y - level(end * bandwidth), intensity.at(end) - x));
            svg.line("roof", x, y, intensity.at(end), level(highest));
            double middle = Math.sqrt(begin * end);
            svg.slanted(
                    "note",
                    intensity.at(middle) - 8,
                    level(middle * bandwidth) - 8,
                    slope,
                    "read %s GB/s".formatted(Amounts.giga(bandwidth)));
        }
        for (Roof roof : roofs) {
            double y = level(roof.operationsPerSecond);
            double from = Math.clamp(roof.operationsPerSecond / bandwidth, intensity.least(), intensity.most());
            svg.line(roof.used ? "roof" : "roof unused", intensity.at(from), y, RIGHT, y);
            svg.text("note", RIGHT + 6, y + 4, "start", roof.name + " " + Amounts.giga(roof.operationsPerSecond));
        }
    }

    /// Labels go further down where they would cover each other; those that find no room are left to the dots'
    /// tips.
    private void drawMeasurements(Svg svg) {
        List<Measurement> inOrder = measurements.stream()
                .sorted(Comparator.comparingDouble(Roofline::intensity)
                        .thenComparingDouble(Measurement::operationsPerSecond))
                .toList();
        List<double[]> labels = new ArrayList<>();
        for (Measurement one : inOrder) {
            double x = intensity.at(intensity(one));
            double y = level(one.operationsPerSecond());
            String name = one.workload().name();
            double across = 6.2 * name.length();
            double labelX = x + 9;
            double labelY = y + LABEL_HEIGHT;
            while (covers(labels, labelX, labelY, across)) {
                labelY += LABEL_HEIGHT;
            }
            labels.add(new double[] {labelX, labelY, across});
            svg.dot(
                    one.boundByMemory() ? "memory" : "arithmetic",
                    x,
                    y,
                    "%s: %s of %s".formatted(name, Amounts.percent(one.ofLimit()), one.limitName()));
            if (labelY < BOTTOM - 4) {
                svg.text("label", labelX, labelY, "start", name);
            }
        }
    }

    private static boolean covers(List<double[]> labels, double x, double y, double across) {
        return labels.stream()
                .anyMatch(label ->
                        Math.abs(label[1] - y) < LABEL_HEIGHT - 1 && x < label[0] + label[2] && label[0] < x + across);
    }

    private double level(double operationsPerSecond) {
        return speed.at(operationsPerSecond / GIGA);
    }

    private List<Roof> roofs() {
        List<Roof> roofs = new ArrayList<>();
        Arithmetic used = measurements.getFirst().arithmetic();
        roofs.add(new Roof("F32", limits.f32PerSecond(), used == Arithmetic.F32));
        if (limits.bf16PerSecond() > 0) {
            roofs.add(new Roof("BF16", limits.bf16PerSecond(), used == Arithmetic.BF16));
        }
        if (limits.int8PerSecond() > 0) {
            roofs.add(new Roof("int8", limits.int8PerSecond(), used == Arithmetic.INT8));
        }
        return roofs;
    }

    private static double intensity(Measurement one) {
        return one.work().operations() / one.work().bytes();
    }

    private static double least(List<Double> values) {
        return values.stream().mapToDouble(value -> value).min().orElseThrow();
    }

    private static double most(List<Double> values) {
        return values.stream().mapToDouble(value -> value).max().orElseThrow();
    }

    /// @param used whether the model's products are of that kind
    private record Roof(String name, double operationsPerSecond, boolean used) {}
}
