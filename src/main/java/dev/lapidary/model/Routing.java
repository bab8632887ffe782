package dev.lapidary.model;

import dev.lapidary.kernels.Matrix;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/// Which experts each row of a batch uses, and how much of each: the best of the router's scores, their softmax.
/// Grouped by expert, rows ascending. To be used again for every layer.
final class Routing {
    private final Experts experts;
    private final float[] scores;
    private final int[] chosen;
    private final float[] share;
    private final boolean[] taken;
    private final int[] starts;
    private final int[] next;
    private final int[] groupedRows;
    private final float[] groupedShares;

    Routing(Experts experts, int maxRows) {
        this.experts = experts;
        int uses = Math.multiplyExact(maxRows, experts.used());
        scores = new float[Math.multiplyExact(maxRows, experts.count())];
        chosen = new int[uses];
        share = new float[uses];
        taken = new boolean[experts.count()];
        starts = new int[experts.count() + 1];
        next = new int[experts.count()];
        groupedRows = new int[uses];
        groupedShares = new float[uses];
    }

    /// Chooses for every row of `scores` `[seq, experts]`, which is dense.
    ///
    /// A softmax over all experts, of which the best are kept and made to sum to 1, is the softmax of the best: the
    /// others' exponentials stand in every share alike.
    ///
    /// @param scales what multiplies the share of each expert
    void choose(Matrix scoreRows, float[] scales) {
        int seq = scoreRows.rows();
        int count = experts.count();
        MemorySegment.copy(scoreRows.data(), ValueLayout.JAVA_FLOAT, 0, scores, 0, seq * count);
        Arrays.fill(starts, 0);
        for (int row = 0; row < seq; row++) {
            choose(row, scales);
        }
        for (int expert = 0; expert < count; expert++) {
            starts[expert + 1] += starts[expert];
            next[expert] = starts[expert];
        }
        int uses = seq * experts.used();
        for (int use = 0; use < uses; use++) {
            int place = next[chosen[use]]++;
            groupedRows[place] = use / experts.used();
            groupedShares[place] = share[use];
        }
    }

    /// The best experts of a row, the first of equal ones; sums in double.
    private void choose(int row, float[] scales) {
        int from = row * experts.count();
        int to = row * experts.used();
        double sum = 0;
        for (int i = 0; i < experts.used(); i++) {
            int best = -1;
            for (int expert = 0; expert < taken.length; expert++) {
                if (!taken[expert] && (best < 0 || scores[from + expert] > scores[from + best])) {
                    best = expert;
                }
            }
            taken[best] = true;
            chosen[to + i] = best;
            sum += Math.exp(scores[from + best] - (double) scores[from + chosen[to]]);
        }
        for (int i = 0; i < experts.used(); i++) {
            int expert = chosen[to + i];
            double weight = Math.exp(scores[from + expert] - (double) scores[from + chosen[to]]) / sum;
            share[to + i] = (float) (weight * scales[expert]);
            taken[expert] = false;
            starts[expert + 1]++;
        }
    }

    /// Rows that use the expert.
    int rows(int expert) {
        return starts[expert + 1] - starts[expert];
    }

    /// Writes the rows that use `expert` to `ids`, repeating the first up to `padded`, and their shares to
    /// `shares`.
    void copy(int expert, int padded, MemorySegment ids, MemorySegment shares) {
        int start = starts[expert];
        int count = rows(expert);
        MemorySegment.copy(groupedRows, start, ids, ValueLayout.JAVA_INT, 0, count);
        for (int i = count; i < padded; i++) {
            ids.setAtIndex(ValueLayout.JAVA_INT, i, groupedRows[start]);
        }
        MemorySegment.copy(groupedShares, start, shares, ValueLayout.JAVA_FLOAT, 0, count);
    }
}
