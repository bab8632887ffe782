// multiply: out[r] = in[r] * weight
//   in, out f32 [rows, cols], weight f32 [cols]; out may be in
#include "simd.h"
#include "team.h"

static void multiply_row(float *out, const float *in, const float *weight, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(out + i, load_n(in + i, n - i) * load_n(weight + i, n - i), n - i);
    }
}

void TIER(gemma_multiply_f32)(float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight,
                              int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  multiply_row(out + r * out_stride + c, in + r * in_stride + c, weight + c, n));
}
