package dev.lapidary.cli;

import java.util.Arrays;
import java.util.DoubleSummaryStatistics;

/// Natural logarithms of the probabilities that a model gave the tokens of a text.
final class Score {
    private final boolean keepsTokens;
    private final DoubleSummaryStatistics sums = new DoubleSummaryStatistics(); // which compensates for rounding
    private int[] ids = {};
    private double[] logProbabilities = {};

    /// @param keepsTokens whether somebody will ask for single tokens, which take 12 bytes each
    Score(boolean keepsTokens) {
        this.keepsTokens = keepsTokens;
    }

    void add(int id, double logProbability) {
        if (keepsTokens) {
            int count = Math.toIntExact(count());
            if (count == ids.length) {
                ids = Arrays.copyOf(ids, Math.max(1024, 2 * count));
                logProbabilities = Arrays.copyOf(logProbabilities, ids.length);
            }
            ids[count] = id;
            logProbabilities[count] = logProbability;
        }
        sums.accept(logProbability);
    }

    long count() {
        return sums.getCount();
    }

    int id(int index) {
        return ids[index];
    }

    double logProbability(int index) {
        return logProbabilities[index];
    }

    double natsPerToken() {
        return -sums.getAverage();
    }

    double perplexity() {
        return Math.exp(natsPerToken());
    }
}
