package dev.lapidary.cli;

import dev.lapidary.sampler.Sampler;
import java.util.Arrays;

/// Natural logarithms of the probabilities that a model gave the tokens of a text.
final class Score {
    private final int[] ids;
    private final double[] logProbabilities;
    private int count;

    Score(int capacity) {
        ids = new int[capacity];
        logProbabilities = new double[capacity];
    }

    /// Adds the token `id` that came where the model expected `logits`.
    void add(int id, float... logits) {
        ids[count] = id;
        logProbabilities[count++] = Sampler.logProbability(logits, id);
    }

    int count() {
        return count;
    }

    int id(int index) {
        return ids[index];
    }

    double logProbability(int index) {
        return logProbabilities[index];
    }

    double natsPerToken() {
        return -Arrays.stream(logProbabilities, 0, count).sum() / count;
    }

    double perplexity() {
        return Math.exp(natsPerToken());
    }
}
