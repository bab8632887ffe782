package dev.lapidary.cli;

import java.util.Locale;

/// Amounts as people read them.
final class Amounts {
    private static final String[] BYTE_UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};

    private Amounts() {}

    /// `6.0 MiB`.
    static String bytes(long bytes) {
        double amount = bytes;
        int unit = 0;
        while (amount >= 1024 && unit < BYTE_UNITS.length - 1) {
            amount /= 1024;
            unit++;
        }
        return unit == 0 ? bytes + " bytes" : text("%.1f %s", amount, BYTE_UNITS[unit]);
    }

    /// `3 124 800` as `3,124,800`.
    static String count(long count) {
        return text("%,d", count);
    }

    /// `12.3 ms` or `4.56 s`.
    static String seconds(double seconds) {
        if (seconds < 1e-3) {
            return text("%.1f µs", seconds * 1e6);
        }
        return seconds < 1 ? text("%.1f ms", seconds * 1e3) : text("%.2f s", seconds);
    }

    /// Billions of something: `25.3`.
    static String giga(double amount) {
        return text("%.1f", amount / 1e9);
    }

    /// A share: `87 %`.
    static String percent(double share) {
        return text("%.0f %%", share * 100);
    }

    /// Tokens per second; NaN where there is no time to divide by.
    static double rate(double tokens, double seconds) {
        return tokens > 0 && seconds > 0 ? tokens / seconds : Double.NaN;
    }

    /// The same text in every country.
    @SuppressWarnings("AnnotateFormatMethod") // that annotation is not worth a dependency
    static String text(String format, Object... arguments) {
        return String.format(Locale.ROOT, format, arguments);
    }
}
