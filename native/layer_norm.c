// layer_norm: out[r] = (in[r] - mean) / sqrt(variance + eps) * weight + bias, the variance over all n, not n - 1
//   in, out f32 [rows, cols], weight, bias f32 [cols]; out may be in; two passes, sums in f32 over 4 x LANES lanes
#include "norm.h"
#include "team.h"

static void norm_row(float *out, const float *in, const float *weight, const float *bias, int64_t cols, float eps) {
    float mean = mean_of(in, cols);
    double variance = (double)sum_of(in, cols, mean, 1) / (double)cols;
    float inverse = (float)(1.0 / sqrt(variance + (double)eps));
    for (int64_t i = 0; i < cols; i += LANES) {
        int64_t left = cols - i;
        vf normed = (load_n(in + i, left) - mean) * inverse;
        store_n(out + i, normed * load_n(weight + i, left) + load_n(bias + i, left), left);
    }
}

void TIER(gemma_layer_norm_f32)(float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight,
                                const float *bias, int64_t rows, int64_t cols, float eps) {
    TEAM_EACH(rows, rows * cols / 2, r, norm_row(out + r * out_stride, in + r * in_stride, weight, bias, cols, eps));
}
