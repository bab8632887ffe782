// convert: f32 to bf16, and bf16 or f16 to f32
//   in, out [rows, cols]; narrowing as narrow.h says, widening is exact
#include "narrow.h"
#include "team.h"
#include "weight_rows.h"

void TIER(gemma_narrow_bf16)(uint16_t *out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows,
                             int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  narrow_row(out + r * out_stride + c, in + r * in_stride + c, n));
}

void TIER(gemma_widen_bf16)(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                            int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  widen_halves(out + r * out_stride + c, in + r * in_stride + c, n, BF16));
}

void TIER(gemma_widen_f16)(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                           int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n,
                  widen_halves(out + r * out_stride + c, in + r * in_stride + c, n, F16));
}
