package dev.lapidary.sampler;

import java.util.BitSet;
import java.util.SplittableRandom;

/// Picks token ids from logits. Applies the repetition penalty, then temperature, top-k, top-p and min-p, in the order
/// of Hugging Face transformers. One thread at a time; allocates nothing per token.
public final class Sampler {
    private final SamplerOptions options;
    private final SplittableRandom random;
    private final BitSet seen = new BitSet();
    private Candidates candidates = new Candidates(0);

    /// A sampler with its own stream of random numbers.
    public Sampler(SamplerOptions options) {
        this.options = options;
        random = new SplittableRandom(options.seed());
    }

    /// Notes a token of the sequence, for the repetition penalty.
    public void accept(int id) {
        seen.set(id);
    }

    /// Picks the next id. Changes `logits` `[vocab]` where a repetition penalty applies.
    ///
    /// @throws IllegalStateException if a logit is NaN or the largest is infinite, which only broken weights give
    public int sample(float[] logits) {
        penalizeRepetition(logits);
        int best = argmax(logits);
        if (options.temperature() == 0) {
            return best;
        }
        if (candidates.capacity() < logits.length) {
            candidates = new Candidates(logits.length);
        }
        candidates.fill(logits, logits[best], options.temperature(), options.topK());
        candidates.keepTopP(options.topP());
        candidates.keepMinP(options.minP());
        return candidates.pick(random.nextDouble());
    }

    /// The index of the largest logit, the first of equals.
    ///
    /// @throws IllegalStateException if a logit is NaN or the largest is infinite
    public static int argmax(float[] logits) {
        int best = 0;
        for (int i = 0; i < logits.length; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            } else if (Float.isNaN(logits[i])) {
                throw broken(logits, i);
            }
        }
        if (Float.isInfinite(logits[best])) {
            throw broken(logits, best);
        }
        return best;
    }

    /// Natural logarithm of the softmax probability of `id`, in double: `logit - log(sum(exp(logits)))`.
    public static double logProbability(float[] logits, int id) {
        float largest = logits[argmax(logits)];
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp((double) logit - largest);
        }
        return (double) logits[id] - largest - Math.log(sum);
    }

    private static IllegalStateException broken(float[] logits, int id) {
        return new IllegalStateException(
                "logits[%d]: got %s, need finite numbers; the weights are broken".formatted(id, logits[id]));
    }

    private void penalizeRepetition(float[] logits) {
        double penalty = options.repetitionPenalty();
        if (penalty == 1) {
            return;
        }
        for (int id = seen.nextSetBit(0); id >= 0 && id < logits.length; id = seen.nextSetBit(id + 1)) {
            logits[id] = (float) (logits[id] > 0 ? logits[id] / penalty : logits[id] * penalty);
        }
    }
}
