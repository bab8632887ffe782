// scale: x *= factor, in place
//   x f32 [rows, cols]
#include "simd.h"
#include "team.h"

static void scale_row(float *x, float factor, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) store_n(x + i, load_n(x + i, n - i) * factor, n - i);
}

void TIER(gemma_scale_f32)(float *x, int64_t x_stride, float factor, int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n, scale_row(x + r * x_stride + c, factor, n));
}
