package dev.lapidary.sampler;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// What sampling means: everything sorted, everything in double, one filter after the other.
final class ReferenceSampler {
    private ReferenceSampler() {}

    /// Probability of each id that may be picked, by id.
    static Map<Integer, Double> distribution(float[] logits, SamplerOptions options) {
        List<Integer> ids = new ArrayList<>();
        for (int id = 0; id < logits.length; id++) {
            ids.add(id);
        }
        ids.sort(Comparator.<Integer>comparingDouble(id -> -logits[id]).thenComparingInt(id -> id));
        if (options.topK() > 0) {
            ids = ids.subList(0, Math.min(options.topK(), ids.size()));
        }
        Map<Integer, Double> probabilities = softmax(logits, ids, options.temperature());
        ids = topP(ids, probabilities, options.topP());
        probabilities = softmax(logits, ids, options.temperature());
        double least = options.minP() * probabilities.get(ids.getFirst());
        List<Integer> kept = new ArrayList<>();
        for (int id : ids) {
            if (probabilities.get(id) >= least) {
                kept.add(id);
            }
        }
        return softmax(logits, kept, options.temperature());
    }

    /// The fewest of `ids`, which are sorted, whose probabilities sum to at least `topP`.
    private static List<Integer> topP(List<Integer> ids, Map<Integer, Double> probabilities, double topP) {
        if (topP == 1) {
            return ids;
        }
        List<Integer> kept = new ArrayList<>();
        double sum = 0;
        for (int id : ids) {
            if (sum >= topP) {
                break;
            }
            kept.add(id);
            sum += probabilities.get(id);
        }
        return kept;
    }

    private static Map<Integer, Double> softmax(float[] logits, List<Integer> ids, double temperature) {
        Map<Integer, Double> probabilities = new TreeMap<>();
        double sum = 0;
        for (int id : ids) {
            double weight = Math.exp((logits[id] - (double) logits[ids.getFirst()]) / temperature);
            probabilities.put(id, weight);
            sum += weight;
        }
        double total = sum;
        probabilities.replaceAll((id, weight) -> weight / total);
        return probabilities;
    }
}
