package dev.lapidary.cli;

import dev.lapidary.Workload;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// What `lapidary bench` times, and how often.
final class WorkloadOptions {
    private static final List<Integer> USUAL_PREFILLS = List.of(16, 128, 512);
    private static final List<Integer> USUAL_DEPTHS = List.of(16, 512);

    @Option(
            names = "--prefill",
            split = ",",
            paramLabel = "N",
            description = "Lengths of prompts; 0 for none. Default: 16,128,512, as far as the model has positions.")
    private @Nullable List<Integer> prefills;

    @Option(
            names = "--depth",
            split = ",",
            paramLabel = "N",
            description = "Tokens before those that are decoded; 0 for none. Default: 16,512, as far as the model has"
                    + " positions.")
    private @Nullable List<Integer> depths;

    @Option(
            names = "--decode",
            paramLabel = "N",
            defaultValue = "32",
            description = "Tokens decoded at each depth. Default: ${DEFAULT-VALUE}.")
    private int decode;

    @Option(
            names = "--batch",
            split = ",",
            paramLabel = "N",
            description = "Sequences that decode together, at each depth. Default: none.")
    private List<Integer> batches = List.of();

    @Option(names = "--no-image", description = "Leaves the vision tower out where the model has one.")
    private boolean noImage;

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

    int warmUp() {
        return warmUp;
    }

    int repetitions() {
        return repetitions;
    }

    /// What a model of that many positions is asked for; `imageTokens` are those of an image, 0 without a tower. What
    /// is usual and does not fit is left out; what was asked
    /// for and does not fit is a mistake.
    ///
    /// @param decodes whether the model predicts tokens; if not, decoding is not usual
    List<Workload> workloads(int positions, int imageTokens, boolean decodes) {
        if (repetitions < 1 || warmUp < 0) {
            throw new IllegalArgumentException(
                    "--repetitions, --warm-up: got %d and %d, need at least 1 and 0".formatted(repetitions, warmUp));
        }
        List<Integer> usualDepths = decodes || !batches.isEmpty() ? USUAL_DEPTHS : List.of();
        List<Workload> workloads = new ArrayList<>();
        positive("--prefill", prefills, USUAL_PREFILLS)
                .map(Workload::prefill)
                .forEach(one -> add(workloads, one, positions, prefills != null));
        positive("--depth", depths, usualDepths)
                .map(depth -> Workload.decode(depth, decode))
                .forEach(one -> add(workloads, one, positions, depths != null));
        positive("--depth", depths, usualDepths)
                .flatMap(depth -> batches.stream().map(sequences -> Workload.batch(sequences, depth, decode)))
                .forEach(one -> add(workloads, one, positions, depths != null));
        if (imageTokens > 0 && !noImage) {
            workloads.add(Workload.image(imageTokens));
        }
        return workloads;
    }

    private static Stream<Integer> positive(String option, @Nullable List<Integer> asked, List<Integer> usual) {
        List<Integer> numbers = asked == null ? usual : asked;
        for (int number : numbers) {
            if (number < 0) {
                throw new IllegalArgumentException("%s: got %d, need 0 or more".formatted(option, number));
            }
        }
        return numbers.stream().filter(number -> number != 0);
    }

    private static void add(List<Workload> workloads, Workload workload, int positions, boolean asked) {
        if (workload.capacity() <= positions) {
            workloads.add(workload);
        } else if (asked) {
            throw new IllegalArgumentException("%s: got %d tokens, need at most %d, the positions of the model"
                    .formatted(workload.name(), workload.capacity(), positions));
        }
    }
}
