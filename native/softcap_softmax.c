// softcap_softmax: attention probabilities from raw scores, in place
//   scores f32 [rows, cols], row stride `stride` elements; row r keeps columns [begin[r], end[r]), the rest become 0
//   p = softmax(cap > 0 ? cap * tanh(s / cap) : s), f32 sums after subtracting the row maximum; empty row -> zeros
#include "softcap.h"
#include "team.h"

static void softmax_row(float *row, int64_t cols, int64_t begin, int64_t end, float cap) {
    int64_t n = end - begin;
    if (n <= 0) {
        memset(row, 0, (size_t)cols * sizeof *row);
        return;
    }
    float *kept = row + begin;
    if (cap > 0) softcap_run(kept, n, cap);
    float total = exp_run(kept, n, max_run(kept, n));
    float inverse = total > 0 ? 1 / total : total; // 0: all were -inf; NaN stays
    for (int64_t i = 0; i < n; i += LANES) store_n(kept + i, load_n(kept + i, n - i) * inverse, n - i);
    memset(row, 0, (size_t)begin * sizeof *row);
    memset(row + end, 0, (size_t)(cols - end) * sizeof *row);
}

void TIER(gemma_softcap_softmax_f32)(float *scores, int64_t rows, int64_t cols, int64_t stride, const int32_t *begin,
                                     const int32_t *end, float cap) {
    // Row i goes with row rows - 1 - i: causal spans grow with the row, and so every thread gets short and long ones.
    TEAM_EACH((rows + 1) / 2, rows * cols, i, int64_t mirror = rows - 1 - i;
              softmax_row(scores + i * stride, cols, begin[i], end[i], cap);
              if (mirror > i) softmax_row(scores + mirror * stride, cols, begin[mirror], end[mirror], cap));
}
