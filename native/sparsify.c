// sparsify: x[r] = max(0, x[r] - (mean + deviations * standard deviation)), in place, both those of x[r]
//   x f32 [rows, cols]; the deviation that of all n, not n - 1; sums as in norm.h
#include "norm.h"
#include "team.h"

static void sparsify_row(float *x, int64_t cols, float deviations) {
    float mean = mean_of(x, cols);
    double variance = (double)sum_of(x, cols, mean, 1) / (double)cols;
    float cutoff = mean + (float)(sqrt(variance) * (double)deviations);
    for (int64_t i = 0; i < cols; i += LANES) {
        int64_t left = cols - i;
        store_n(x + i, vmax(load_n(x + i, left) - cutoff, (vf){0}), left);
    }
}

void TIER(gemma_sparsify_f32)(float *x, int64_t x_stride, float deviations, int64_t rows, int64_t cols) {
    TEAM_EACH(rows, rows * cols / 2, r, sparsify_row(x + r * x_stride, cols, deviations));
}
