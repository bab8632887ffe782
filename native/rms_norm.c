// rms_norm: out[r] = in[r] / sqrt(mean(in[r]^2) + eps) * weight, and the same added to a residual
//   in, out, residual f32 [rows, cols], weight f32 [cols]; out may be in; sums as in norm.h
#include "norm.h"
#include "team.h"

static void norm_row(float *out, const float *in, const float *weight, int64_t cols, float eps) {
    float inverse = inverse_rms(in, cols, eps);
    for (int64_t i = 0; i < cols; i += LANES) {
        int64_t left = cols - i;
        store_n(out + i, load_n(in + i, left) * inverse * load_n(weight + i, left), left);
    }
}

static void norm_add_row(float *residual, const float *in, const float *weight, int64_t cols, float eps) {
    float inverse = inverse_rms(in, cols, eps);
    for (int64_t i = 0; i < cols; i += LANES) {
        int64_t left = cols - i;
        vf normed = load_n(in + i, left) * inverse * load_n(weight + i, left);
        store_n(residual + i, load_n(residual + i, left) + normed, left);
    }
}

void TIER(gemma_rms_norm_f32)(float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight,
                              int64_t rows, int64_t cols, float eps) {
    TEAM_EACH(rows, rows * cols / 4, r, norm_row(out + r * out_stride, in + r * in_stride, weight, cols, eps));
}

void TIER(gemma_rms_norm_add_f32)(float *residual, int64_t residual_stride, const float *in, int64_t in_stride,
                                  const float *weight, int64_t rows, int64_t cols, float eps) {
    TEAM_EACH(rows, rows * cols / 4, r,
              norm_add_row(residual + r * residual_stride, in + r * in_stride, weight, cols, eps));
}
