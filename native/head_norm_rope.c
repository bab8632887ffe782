// head_norm_rope: per row and head an optional RMSNorm, an optional half-split rotation of the first rope_dims values,
// a scale
//   in, out [rows, heads, head_dim] by row and head stride, from row in_row to row out_row, in f32, out f32 or bf16;
//   weight f32 [head_dim] or NULL; cos, sin f32 [rows, rope_dims / 2] from row in_row, or NULL; out may be in; sums as
//   in norm.h
#include "narrow.h"
#include "norm.h"
#include "team.h"

// `factor` and, if there is one, the weight: what the norm and the scale make of x[0..n)
INLINE vf scaled(const float *x, const float *weight, float factor, int64_t left) {
    vf v = load_n(x, left) * factor;
    return weight ? v * load_n(weight, left) : v;
}

// v to out[i] and behind it, in the output's type
INLINE void put(void *out, int64_t i, vf v, int64_t left, dtype type) {
    if (type == F32) {
        store_n((float *)out + i, v, left);
    } else {
        vh h = narrow_bf16(v);
        memcpy((uint16_t *)out + i, &h, (size_t)(left < LANES ? left : LANES) * sizeof(uint16_t));
    }
}

INLINE void head_norm_rope(void *out, dtype type, const float *in, const float *weight, float eps, const float *cos,
                           const float *sin, int64_t rope_dims, float scale, int64_t head_dim) {
    float factor = weight ? scale * inverse_rms(in, head_dim, eps) : scale;
    int64_t half = cos ? rope_dims / 2 : 0;
    for (int64_t i = 0; i < half; i += LANES) {
        int64_t left = half - i, j = half + i;
        vf a = scaled(in + i, weight ? weight + i : weight, factor, left);
        vf b = scaled(in + j, weight ? weight + j : weight, factor, left);
        vf c = load_n(cos + i, left), s = load_n(sin + i, left);
        put(out, i, a * c - b * s, left, type);
        put(out, j, b * c + a * s, left, type);
    }
    for (int64_t i = 2 * half; i < head_dim; i += LANES) {
        put(out, i, scaled(in + i, weight ? weight + i : weight, factor, head_dim - i), head_dim - i, type);
    }
}

void TIER(gemma_head_norm_rope)(void *out, int32_t out_type, int64_t out_row, int64_t out_row_stride,
                                int64_t out_head_stride, const float *in, int64_t in_row, int64_t in_row_stride,
                                int64_t in_head_stride, const float *weight, float eps, const float *cos,
                                const float *sin, int64_t rope_dims, float scale, int64_t rows, int64_t heads,
                                int64_t head_dim) {
    const int64_t half = rope_dims / 2;
    in += in_row * in_row_stride;
    if (cos) cos += in_row * half;
    if (sin) sin += in_row * half;
    TEAM_EACH(rows * heads, rows * heads * head_dim / 4, i, const int64_t r = i / heads, h = i % heads;
              const int64_t at = (out_row + r) * out_row_stride + h * out_head_stride;
              const float *x = in + r * in_row_stride + h * in_head_stride;
              const float *c = cos ? cos + r * half : NULL, *s = sin ? sin + r * half : NULL;
              if (out_type == BF16) head_norm_rope((uint16_t *)out + at, BF16, x, weight, eps, c, s, rope_dims, scale,
                                                   head_dim);
              else head_norm_rope((float *)out + at, F32, x, weight, eps, c, s, rope_dims, scale, head_dim));
}
