package dev.lapidary.cli;

import dev.lapidary.Sampling;
import dev.lapidary.sampler.SamplerOptions;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// How tokens are picked, and when to stop.
final class SamplingOptions {
    @Option(
            names = {"-t", "--temperature"},
            paramLabel = "T",
            defaultValue = "0.8",
            description = "Divides the logits: lower is safer, 0 always takes the likeliest token (greedy). Default:"
                    + " ${DEFAULT-VALUE}.")
    private double temperature;

    @Option(
            names = "--top-k",
            paramLabel = "K",
            defaultValue = "0",
            description = "Only the K likeliest tokens; 0 for all. Default: ${DEFAULT-VALUE}.")
    private int topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            defaultValue = "0.95",
            description = "Only the likeliest tokens whose probability together reaches P; 1 for all. Default:"
                    + " ${DEFAULT-VALUE}.")
    private double topP;

    @Option(
            names = "--min-p",
            paramLabel = "P",
            defaultValue = "0",
            description =
                    "Only tokens at least P times as likely as the likeliest; 0 for all. Default: ${DEFAULT-VALUE}.")
    private double minP;

    @Option(
            names = "--repetition-penalty",
            paramLabel = "X",
            defaultValue = "1",
            description = "Makes tokens that have occurred less likely; 1 for none. Default: ${DEFAULT-VALUE}.")
    private double repetitionPenalty;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "1",
            description = "Of the random numbers: the same seed gives the same text, so take another for another text."
                    + " Default: ${DEFAULT-VALUE}.")
    private long seed;

    @Option(
            names = "--stop",
            paramLabel = "STRING",
            description = "Ends the text before this string; may be given more than once.")
    private @Nullable List<String> stops;

    /// Without a limit on the number of tokens.
    ///
    /// @param turn how many texts this seed has made before
    Sampling sampling(int turn) {
        SamplerOptions picking = new SamplerOptions(temperature, topK, topP, minP, repetitionPenalty, seed + turn);
        Sampling sampling = Sampling.greedy().picking(picking);
        return stops == null ? sampling : sampling.stopStrings(stops.toArray(String[]::new));
    }
}
