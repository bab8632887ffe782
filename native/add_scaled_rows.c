// add_scaled_rows: out[ids[r]] += factors[r] * in[r]
//   in f32 [rows, cols], out f32 [*, cols]; no row of out is named twice, so that rows can be shared out
#include "simd.h"
#include "team.h"

static void add_scaled_row(float *out, const float *in, float factor, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(out + i, load_n(out + i, n - i) + load_n(in + i, n - i) * factor, n - i);
    }
}

void TIER(gemma_add_scaled_rows_f32)(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                     const int32_t *ids, const float *factors, int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  add_scaled_row(out + ids[r] * out_stride + c, in + r * in_stride + c, factors[r], n));
}
