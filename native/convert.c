// convert: f32 to bf16, and bf16 or f16 to f32
//   in, out [rows, cols]; narrowing rounds to nearest, ties to even, on the bits: the CPU's own conversion would flush
//   subnormals; widening is exact
#include "simd.h"
#include "team.h"

// Adding half of the dropped unit (a little less when the kept part is even) carries into it; NaN would overflow and
// gets its quiet bit instead.
INLINE vh narrow_bf16(vf x) {
    vu bits = (vu)x, rounded = bits + 0x7fff + ((bits >> 16) & 1), quiet = bits | 0x400000;
    vu chosen = (vu)blend((vi)(x == x), (vf)rounded, (vf)quiet);
    return __builtin_convertvector(chosen >> 16, vh);
}

static void narrow_row(uint16_t *out, const float *in, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vh h = narrow_bf16(load(in + i));
        memcpy(out + i, &h, sizeof h);
    }
    if (i < n) {
        vh h = narrow_bf16(load_part(in + i, n - i));
        memcpy(out + i, &h, (size_t)(n - i) * sizeof *out);
    }
}

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
