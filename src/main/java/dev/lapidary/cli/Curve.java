package dev.lapidary.cli;

import java.util.List;
import java.util.function.ToDoubleFunction;

/// How something grows: a line through measurements, with the spread of the runs at each.
///
/// @param title what is shown
/// @param xName along the bottom
/// @param yName along the side
record Curve(String title, String xName, String yName) {
    private static final int WIDTH = 420;
    private static final int HEIGHT = 250;
    private static final int LEFT = 54;
    private static final int RIGHT = WIDTH - 16;
    private static final int TOP = 30;
    private static final int BOTTOM = HEIGHT - 44;

    /// @param x         one value per measurement, all different and in order
    /// @param median    the value shown
    /// @param low, high ends of the spread
    String html(
            List<Measurement> measurements,
            ToDoubleFunction<Measurement> x,
            ToDoubleFunction<Measurement> median,
            ToDoubleFunction<Measurement> low,
            ToDoubleFunction<Measurement> high) {
        double[] places = measurements.stream().mapToDouble(x).toArray();
        double[] heights = measurements.stream().mapToDouble(median).toArray();
        Axis across = Axis.logarithmic(places[0], places[places.length - 1], LEFT, RIGHT);
        Axis up = Axis.linear(measurements.stream().mapToDouble(high).max().orElseThrow(), BOTTOM, TOP);
        Svg svg = new Svg(title, WIDTH, HEIGHT);
        svg.text("axis", LEFT - 44, TOP - 14, "start", yName);
        svg.text("axis", (LEFT + RIGHT) / 2.0, HEIGHT - 8, "middle", xName);
        for (double tick : up.ticks()) {
            svg.line("grid", LEFT, up.at(tick), RIGHT, up.at(tick));
            svg.text("tick", LEFT - 6, up.at(tick) + 4, "end", Amounts.text(up.most() < 5 ? "%.1f" : "%.0f", tick));
        }
        for (int i = 0; i < places.length; i++) {
            Measurement one = measurements.get(i);
            places[i] = across.at(places[i]);
            svg.text("tick", places[i], BOTTOM + 16, "middle", Amounts.text("%.0f", x.applyAsDouble(one)));
            svg.line("spread", places[i], up.at(low.applyAsDouble(one)), places[i], up.at(high.applyAsDouble(one)));
        }
        double[] levels = new double[heights.length];
        for (int i = 0; i < heights.length; i++) {
            levels[i] = up.at(heights[i]);
        }
        svg.path("curve", places, levels);
        for (int i = 0; i < heights.length; i++) {
            svg.dot("memory", places[i], levels[i], Amounts.text("%.1f %s", heights[i], yName));
        }
        return svg.html();
    }
}
