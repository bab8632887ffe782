package dev.lapidary.sampler;

/// Tokens that may be picked, with their unnormalised probabilities. Sorted only as far as a filter needs it: by a heap
/// of the whole, taken apart from the top.
final class Candidates {
    private final int[] ids;
    private final double[] weights;
    private int count;
    private double sum;

    Candidates(int capacity) {
        ids = new int[capacity];
        weights = new double[capacity];
    }

    int capacity() {
        return ids.length;
    }

    /// The `k` tokens with the largest logits (0 for all; of equals the lower id), with weight
    /// `exp((logit - largest) / temperature)`. Tokens whose weight underflows to 0 are left out.
    void fill(float[] logits, float largest, double temperature, int k) {
        if (k > 0 && k < logits.length) {
            selectLargest(logits, k);
        } else {
            count = logits.length;
            for (int id = 0; id < count; id++) {
                ids[id] = id;
                weights[id] = logits[id];
            }
        }
        int kept = 0;
        sum = 0;
        for (int i = 0; i < count; i++) {
            double weight = Math.exp((weights[i] - largest) / temperature);
            if (weight > 0) {
                ids[kept] = ids[i];
                weights[kept++] = weight;
                sum += weight;
            }
        }
        count = kept;
    }

    /// Leaves the ids and logits of the `k` largest. Negated, a heap has the one to be replaced next at its top:
    /// the smallest logit, of equals the higher id.
    private void selectLargest(float[] logits, int k) {
        count = k;
        for (int id = 0; id < k; id++) {
            ids[id] = ~id;
            weights[id] = -logits[id];
        }
        heapify();
        for (int id = k; id < logits.length; id++) {
            if (-logits[id] < weights[0]) {
                ids[0] = ~id;
                weights[0] = -logits[id];
                siftDown(0, k);
            }
        }
        for (int i = 0; i < k; i++) {
            ids[i] = ~ids[i];
            weights[i] = -weights[i];
        }
    }

    /// Keeps the fewest heaviest whose share of the sum reaches `p`.
    void keepTopP(double p) {
        if (p < 1) {
            // Tokens below this weight sum to less than 1 - p: they are never needed, and most are below it.
            keepAtLeast(sum * (1 - p) / (2 * count), false);
            keepHeaviest(sum * p);
        }
    }

    /// Keeps those at least `p` times as heavy as the heaviest.
    void keepMinP(double p) {
        if (p > 0) {
            keepAtLeast(p * heaviest(), true);
        }
    }

    /// The id at `uniform`, from 0 to below 1, of the way through the weights.
    int pick(double uniform) {
        double target = uniform * sum;
        for (int i = 0; i < count; i++) {
            target -= weights[i];
            if (target < 0) {
                return ids[i];
            }
        }
        return ids[count - 1];
    }

    private double heaviest() {
        double heaviest = 0;
        for (int i = 0; i < count; i++) {
            heaviest = Math.max(heaviest, weights[i]);
        }
        return heaviest;
    }

    /// Drops what is lighter than `least`; the sum stays that of all unless `resum`.
    private void keepAtLeast(double least, boolean resum) {
        int kept = 0;
        double keptSum = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] >= least) {
                ids[kept] = ids[i];
                weights[kept++] = weights[i];
                keptSum += weights[i];
            }
        }
        count = kept;
        sum = resum ? keptSum : sum;
    }

    /// Keeps the heaviest until their sum reaches `enough`; they end up sorted.
    private void keepHeaviest(double enough) {
        heapify();
        int kept = 0;
        double keptSum = 0;
        int heap = count;
        while (heap > 0 && keptSum < enough) {
            heap--;
            keptSum += weights[0];
            swap(0, heap);
            siftDown(0, heap);
            kept++;
        }
        // The kept ones stand at the end, lightest first.
        for (int i = 0; i < Math.min(kept, count / 2); i++) {
            swap(i, count - 1 - i);
        }
        count = kept;
        sum = keptSum;
    }

    private void heapify() {
        for (int i = count / 2 - 1; i >= 0; i--) {
            siftDown(i, count);
        }
    }

    /// Restores the heap of the first `end` candidates below `parent`.
    private void siftDown(int parent, int end) {
        int at = parent;
        while (true) {
            int child = 2 * at + 1;
            if (child >= end) {
                return;
            }
            if (child + 1 < end && heavier(child + 1, child)) {
                child++;
            }
            if (!heavier(child, at)) {
                return;
            }
            swap(child, at);
            at = child;
        }
    }

    private boolean heavier(int a, int b) {
        return weights[a] > weights[b] || (weights[a] == weights[b] && ids[a] < ids[b]);
    }

    private void swap(int a, int b) {
        int id = ids[a];
        ids[a] = ids[b];
        ids[b] = id;
        double weight = weights[a];
        weights[a] = weights[b];
        weights[b] = weight;
    }
}
