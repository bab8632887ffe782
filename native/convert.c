// convert: f32 to bf16, and bf16 or f16 to f32
//   in, out [rows, cols]; narrowing as narrow.h says, widening is exact
#include "narrow.h"
#include "team.h"

INLINE void widen_row(float *out, const uint16_t *in, int64_t n, dtype type) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) store(out + i, load_as(in, i, type));
    if (i < n) store_part(out + i, load_part_as(in, i, n - i, type), n - i);
}

void TIER(gemma_narrow_bf16)(uint16_t *out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows,
                             int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  narrow_row(out + r * out_stride + c, in + r * in_stride + c, n));
}

void TIER(gemma_widen_bf16)(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                            int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  widen_row(out + r * out_stride + c, in + r * in_stride + c, n, BF16));
}

void TIER(gemma_widen_f16)(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                           int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  widen_row(out + r * out_stride + c, in + r * in_stride + c, n, F16));
}
