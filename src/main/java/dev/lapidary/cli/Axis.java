package dev.lapidary.cli;

import java.util.ArrayList;
import java.util.List;

/// Values along an edge of a plot.
///
/// @param least       value at `from`
/// @param most        value at `to`
/// @param logarithmic whether equal distances are equal ratios
/// @param from        place of `least`
/// @param to          place of `most`
record Axis(double least, double most, boolean logarithmic, double from, double to) {
    /// Powers of two that enclose the values.
    static Axis logarithmic(double least, double most, double from, double to) {
        return new Axis(powerOfTwo(Math.floor(log2(least))), powerOfTwo(Math.ceil(log2(most))), true, from, to);
    }

    /// From 0 to a round number that is not below `most`.
    static Axis linear(double most, double from, double to) {
        double step = step(most);
        return new Axis(0, Math.max(step, Math.ceil(most / step) * step), false, from, to);
    }

    /// Where a value stands.
    double at(double value) {
        double share = logarithmic
                ? (log2(value) - log2(least)) / (log2(most) - log2(least))
                : (value - least) / (most - least);
        return from + share * (to - from);
    }

    /// Values to be marked, about five of them.
    List<Double> ticks() {
        List<Double> ticks = new ArrayList<>();
        if (logarithmic) {
            double octaves = log2(most) - log2(least);
            double ratio = powerOfTwo(Math.ceil(octaves / 8));
            for (double value = least; value <= most * 1.001; value *= ratio) {
                ticks.add(value);
            }
        } else {
            double step = step(most);
            for (int i = 0; i * step <= most * 1.001; i++) {
                ticks.add(i * step);
            }
        }
        return ticks;
    }

    /// 1, 2 or 5 times a power of ten, so that some five of them make `most`.
    private static double step(double most) {
        double power = Math.pow(10, Math.floor(Math.log10(most / 4)));
        double factor = most / 4 / power;
        return power * (factor < 2 ? 1 : factor < 5 ? 2 : 5);
    }

    private static double log2(double value) {
        return Math.log(value) / Math.log(2);
    }

    private static double powerOfTwo(double exponent) {
        return Math.pow(2, exponent);
    }
}
