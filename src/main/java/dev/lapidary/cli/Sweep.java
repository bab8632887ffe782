package dev.lapidary.cli;

import dev.lapidary.CacheFormat;
import dev.lapidary.Compute;
import dev.lapidary.Options;
import dev.lapidary.WeightFormat;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// Settings that `lapidary bench` goes through: `--sweep threads=1,2 --sweep backend=onednn,openblas`.
final class Sweep {
    private Sweep() {}

    /// Every combination of the values, applied to `options`, in the order given; `options` alone for no sweep.
    ///
    /// @param values by the name of the setting, separated by commas
    /// @throws IllegalArgumentException naming the setting or value that there is not
    static List<Options> of(Options options, Map<String, String> values) {
        List<Options> combined = List.of(options);
        for (Map.Entry<String, String> sweep : values.entrySet()) {
            List<Options> next = new ArrayList<>();
            for (Options each : combined) {
                for (String value : sweep.getValue().split(",", -1)) {
                    next.add(with(each, sweep.getKey(), value));
                }
            }
            combined = next;
        }
        return combined;
    }

    private static Options with(Options options, String setting, String value) {
        return switch (setting) {
            case "backend" -> options.withBackend(value);
            case "chunk" -> options.withChunk(number(setting, value));
            case "compute" -> options.withCompute(constant(setting, Compute.class, value));
            case "head-weights" -> options.withHeadWeights(constant(setting, WeightFormat.class, value));
            case "kv-cache" -> options.withKvCache(constant(setting, CacheFormat.class, value));
            case "threads" -> options.withThreads(number(setting, value));
            case "weights" -> options.withWeights(constant(setting, WeightFormat.class, value));
            default ->
                throw new IllegalArgumentException(
                        "--sweep: got \"%s\", need backend, chunk, compute, head-weights, kv-cache, threads or weights"
                                .formatted(setting));
        };
    }

    private static int number(String setting, String value) {
        try {
            return Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("--sweep %s: got \"%s\", need numbers".formatted(setting, value), e);
        }
    }

    private static <E extends Enum<E>> E constant(String setting, Class<E> type, String value) {
        List<String> names = new ArrayList<>();
        for (E constant : type.getEnumConstants()) {
            String name = constant.name().toLowerCase(Locale.ROOT);
            if (name.equals(value)) {
                return constant;
            }
            names.add(name);
        }
        throw new IllegalArgumentException(
                "--sweep %s: got \"%s\", need %s".formatted(setting, value, String.join(", ", names)));
    }
}
