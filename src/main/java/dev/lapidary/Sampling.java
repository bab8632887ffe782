package dev.lapidary;

import dev.lapidary.sampler.SamplerOptions;
import java.util.List;
import java.util.Set;

/// How tokens are picked and when to stop. Immutable: each method gives a changed copy.
///
/// @param picking          how the next token is picked
/// @param maxTokens        most tokens to generate
/// @param stopTokens       ids that end the generation beside the checkpoint's own
/// @param stopStrings      strings that end the generation; they are not part of its text
/// @param ignoreStopTokens whether the checkpoint's stop tokens are generated like any other
/// @param logProbabilities whether each token carries its log-probability
public record Sampling(
        SamplerOptions picking,
        int maxTokens,
        Set<Integer> stopTokens,
        List<String> stopStrings,
        boolean ignoreStopTokens,
        boolean logProbabilities) {
    /// Throws `IllegalArgumentException` naming what is out of range.
    public Sampling {
        if (maxTokens < 0) {
            throw new IllegalArgumentException("max tokens: got %d, need 0 or more".formatted(maxTokens));
        }
        if (stopStrings.stream().anyMatch(String::isEmpty)) {
            throw new IllegalArgumentException("stop string: got an empty one, need at least one character");
        }
        stopTokens = Set.copyOf(stopTokens);
        stopStrings = List.copyOf(stopStrings);
    }

    /// Always the likeliest token, until the model stops or the session is full.
    public static Sampling greedy() {
        return new Sampling(SamplerOptions.GREEDY, Integer.MAX_VALUE, Set.of(), List.of(), false, false);
    }

    /// Random tokens after dividing the logits by `temperature`; 0 is greedy. The seed is fresh unless [#seed] is
    /// called.
    public static Sampling temperature(double temperature) {
        long seed = java.util.concurrent.ThreadLocalRandom.current().nextLong();
        return greedy().picking(new SamplerOptions(temperature, 0, 1, 0, 1, seed));
    }

    /// This with other rules for picking.
    public Sampling picking(SamplerOptions options) {
        return new Sampling(options, maxTokens, stopTokens, stopStrings, ignoreStopTokens, logProbabilities);
    }

    /// Only the `k` likeliest tokens; 0 for all.
    public Sampling topK(int k) {
        SamplerOptions p = picking;
        return picking(new SamplerOptions(p.temperature(), k, p.topP(), p.minP(), p.repetitionPenalty(), p.seed()));
    }

    /// Only the likeliest tokens whose probability together reaches `topP`; 1 for all.
    public Sampling topP(double topP) {
        SamplerOptions p = picking;
        return picking(new SamplerOptions(p.temperature(), p.topK(), topP, p.minP(), p.repetitionPenalty(), p.seed()));
    }

    /// Only tokens at least `minP` times as likely as the likeliest; 0 for all.
    public Sampling minP(double minP) {
        SamplerOptions p = picking;
        return picking(new SamplerOptions(p.temperature(), p.topK(), p.topP(), minP, p.repetitionPenalty(), p.seed()));
    }

    /// Makes tokens that are already in the session less likely; 1 for none.
    public Sampling repetitionPenalty(double penalty) {
        SamplerOptions p = picking;
        return picking(new SamplerOptions(p.temperature(), p.topK(), p.topP(), p.minP(), penalty, p.seed()));
    }

    /// The same seed gives the same tokens.
    public Sampling seed(long seed) {
        SamplerOptions p = picking;
        return picking(new SamplerOptions(p.temperature(), p.topK(), p.topP(), p.minP(), p.repetitionPenalty(), seed));
    }

    /// At most this many tokens.
    public Sampling maxTokens(int tokens) {
        return new Sampling(picking, tokens, stopTokens, stopStrings, ignoreStopTokens, logProbabilities);
    }

    /// Stops at these ids too.
    public Sampling stopTokens(Set<Integer> ids) {
        return new Sampling(picking, maxTokens, ids, stopStrings, ignoreStopTokens, logProbabilities);
    }

    /// Stops where the text has one of these.
    public Sampling stopStrings(String... strings) {
        return new Sampling(picking, maxTokens, stopTokens, List.of(strings), ignoreStopTokens, logProbabilities);
    }

    /// Goes on after the checkpoint's stop tokens.
    public Sampling ignoreStopTokens(boolean ignore) {
        return new Sampling(picking, maxTokens, stopTokens, stopStrings, ignore, logProbabilities);
    }

    /// Gives each token its log-probability.
    public Sampling logProbabilities(boolean wanted) {
        return new Sampling(picking, maxTokens, stopTokens, stopStrings, ignoreStopTokens, wanted);
    }
}
