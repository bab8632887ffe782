package dev.lapidary.model;

/// The standard normal distribution.
final class NormalDistribution {
    /// Each step squares the error; from 0 it takes about as many for any fraction that a config may name.
    private static final int STEPS = 100;

    private NormalDistribution() {}

    /// The value that a `fraction` of the distribution lies below, by Newton's method from 0, from where it nears
    /// the value from one side. Within 1e-12 for fractions from 1e-6 to 1 - 1e-6.
    static double quantile(double fraction) {
        double x = 0;
        for (int i = 0; i < STEPS; i++) {
            x -= (below(x) - fraction) / density(x);
        }
        return x;
    }

    private static double density(double x) {
        return Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    }

    /// `1 / 2 + density(x) * (x + x^3 / 3 + x^5 / (3 * 5) + ...)` (Marsaglia 2004).
    private static double below(double x) {
        double term = x;
        double sum = x;
        for (int i = 3; sum + term != sum; i += 2) {
            term *= x * x / i;
            sum += term;
        }
        return 0.5 + density(x) * sum;
    }
}
