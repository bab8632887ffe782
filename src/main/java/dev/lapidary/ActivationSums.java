package dev.lapidary;

import dev.lapidary.kernels.Matrix;
import dev.lapidary.model.ActivationObserver;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Sums up activations, whatever number of chunks they come in.
final class ActivationSums implements ActivationObserver {
    private final Map<Point, Sums> points = new LinkedHashMap<>();

    @Override
    public void observe(int layer, Stage stage, Matrix activation) {
        Sums sums = points.computeIfAbsent(new Point(layer, stage), point -> new Sums());
        float[] row = new float[activation.cols()];
        for (int i = 0; i < activation.rows(); i++) {
            MemorySegment.copy(activation.row(i).data(), ValueLayout.JAVA_FLOAT, 0, row, 0, row.length);
            sums.add(row);
        }
    }

    /// In the order of the forward pass.
    List<ActivationStatistics> statistics() {
        return points.entrySet().stream()
                .map(entry -> entry.getValue().statistics(entry.getKey()))
                .toList();
    }

    private record Point(int layer, Stage stage) {}

    private static final class Sums {
        private long count;
        private long zeros;
        private double sum;
        private double squares;

        void add(float[] values) {
            count += values.length;
            for (float value : values) {
                sum += value;
                squares += (double) value * value;
                zeros += value == 0 ? 1 : 0;
            }
        }

        ActivationStatistics statistics(Point point) {
            double mean = sum / count;
            double variance = Math.max(0, squares / count - mean * mean);
            return new ActivationStatistics(
                    point.layer(),
                    ActivationStatistics.Stage.valueOf(point.stage().name()),
                    mean,
                    Math.sqrt(variance),
                    (double) zeros / count);
        }
    }
}
