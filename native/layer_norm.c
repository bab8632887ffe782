// layer_norm: out[r] = (in[r] - mean) / sqrt(variance + eps) * weight + bias, the variance over all n, not n - 1
//   in, out f32 [rows, cols], weight, bias f32 [cols]; out may be in; two passes, sums in f32 over 4 x LANES lanes
#include "simd.h"
#include "team.h"

// Sum of (x - shift)^power, power 1 or 2
INLINE float sum_of(const float *x, int64_t n, float shift, int squared) {
    vf sums[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        UNROLL for (int j = 0; j < 4; j++) {
            vf v = load(x + i + j * LANES) - shift;
            sums[j] += squared ? v * v : v;
        }
    }
    for (; i < n; i += LANES) {
        vf v = load_filled(x + i, n - i, shift) - shift;
        sums[0] += squared ? v * v : v;
    }
    return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

static void norm_row(float *out, const float *in, const float *weight, const float *bias, int64_t cols, float eps) {
    float mean = (float)((double)sum_of(in, cols, 0, 0) / (double)cols);
    mean += (float)((double)sum_of(in, cols, mean, 0) / (double)cols); // what the first sum has rounded away
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
