package dev.lapidary;

import dev.lapidary.sampler.Sampler;
import java.util.Arrays;

/// What two models' predictions of the same tokens add up to. All sums are in double.
final class PredictionDifferences {
    private double[] divergences = new double[1024];
    private int count;
    private double nats;
    private double referenceNats;
    private long agreed;
    private boolean sorted;

    /// Adds the token `id` that came where the model expected `logits` and the reference `expected`, both `[vocab]`.
    ///
    /// @throws IllegalStateException if logits are not finite
    void add(int id, float[] logits, float[] expected) {
        int best = Sampler.argmax(logits);
        int expectedBest = Sampler.argmax(expected);
        double largest = logits[best];
        double expectedLargest = expected[expectedBest];
        double sum = 0;
        double expectedSum = 0;
        double weighted = 0; // of differences of log-probabilities, but for a constant
        for (int i = 0; i < logits.length; i++) {
            double below = logits[i] - largest;
            double expectedBelow = expected[i] - expectedLargest;
            double weight = Math.exp(expectedBelow);
            sum += Math.exp(below);
            expectedSum += weight;
            weighted += weight * (expectedBelow - below);
        }
        double logSum = Math.log(sum);
        double expectedLogSum = Math.log(expectedSum);
        nats += logSum - (logits[id] - largest);
        referenceNats += expectedLogSum - (expected[id] - expectedLargest);
        agreed += best == expectedBest ? 1 : 0;
        // Never negative but for rounding
        append(Math.max(0, weighted / expectedSum - expectedLogSum + logSum));
    }

    private void append(double divergence) {
        if (count == divergences.length) {
            divergences = Arrays.copyOf(divergences, 2 * count);
        }
        divergences[count++] = divergence;
        sorted = false;
    }

    int count() {
        return count;
    }

    /// Mean negative log-probability under the model; NaN if there is none.
    double natsPerToken() {
        return nats / count;
    }

    double referenceNatsPerToken() {
        return referenceNats / count;
    }

    /// Share of the tokens for which both expected the same one most.
    double agreement() {
        return (double) agreed / count;
    }

    double meanDivergence() {
        return Arrays.stream(divergences, 0, count).sum() / count;
    }

    /// The divergence that this share of the tokens does not exceed, by linear interpolation between neighbours.
    ///
    /// @param share 0 for the smallest to 1 for the largest
    double divergence(double share) {
        if (!(share >= 0 && share <= 1)) {
            throw new IllegalArgumentException("share: got %s, need 0 to 1".formatted(share));
        }
        if (count == 0) {
            return Double.NaN;
        }
        if (!sorted) {
            Arrays.sort(divergences, 0, count);
            sorted = true;
        }
        double place = share * (count - 1);
        int below = (int) place;
        double part = place - below;
        return (1 - part) * divergences[below] + part * divergences[Math.min(below + 1, count - 1)];
    }
}
