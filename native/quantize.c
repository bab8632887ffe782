// quantize: rows of f32 activations to int8 in blocks of 32, as the products with panels of Q8_0 or Q4_0 (panels.h) or
// with GGUF's own blocks (int8_rows.h) take them
//   per block: scale = max|x| / 127, q = x * (127 / max|x|) to the nearest, ties to even; a NaN makes its block's scale
//   NaN
#include "blocks.h"
#include "int8_rows.h"
#include "team.h"

// max |x| by its bits, so that a NaN is larger than every number.
INLINE float largest(block b) {
    vi most = (vi)magnitude(b.part[0]);
    UNROLL for (int p = 1; p < PARTS; p++) {
        vi next = (vi)magnitude(b.part[p]);
        most = (vi)blend(next > most, (vf)next, (vf)most);
    }
#if defined(__AVX512F__)
    return _mm512_cvtss_f32((__m512)_mm512_set1_epi32(_mm512_reduce_max_epi32((__m512i)most)));
#else
    int32_t bits = most[0];
    float value;
    UNROLL for (int i = 1; i < LANES; i++) bits = most[i] > bits ? most[i] : bits;
    memcpy(&value, &bits, sizeof value);
    return value;
#endif
}

INLINE int32_t sum_of(vi v) {
#if defined(__AVX512F__)
    return _mm512_reduce_add_epi32((__m512i)v);
#else
    return (int32_t)sum(__builtin_convertvector(v, vf)); // exact
#endif
}

typedef struct {
    int8_t q[BLOCK];
    float scale;
    int32_t low, high; // the sums of the first and of the last 16 of q
} int8_block;

INLINE int8_block quantized(block b) {
    float most = largest(b);
    if (most < 0x1p-100f) most = 0; // below, 127 / most may overflow; a NaN stays
    b = most != 0 && isfinite(most) ? scaled(b, 127 / most) : (block){0};
    int8_block to = {.scale = most * (1.0f / 127)};
    vi totals[2] = {{0}, {0}};
    UNROLL for (int p = 0; p < PARTS; p++) {
        vi value = nearest(b.part[p]);
        store_bytes((uint8_t *)to.q + p * LANES, value);
        totals[p / (PARTS / 2)] += value;
    }
    to.low = sum_of(totals[0]);
    to.high = sum_of(totals[1]);
    return to;
}

INLINE void quantize_block(activation *out, block b, format f) {
    const int8_block from = quantized(b);
    out->scale = from.scale;
    out->start = SUM_BITS - 128 * (from.low + from.high);
    if (is_wide(f)) {
        for (int i = 0; i < BLOCK; i++) out->wide[i] = from.q[(i & ~3) + (i & 1) * 2 + (i >> 1 & 1)];
    } else {
        memcpy(out->q, from.q, sizeof from.q);
    }
}

// Row r of rows.
INLINE void quantize_row(void *out, const float *in, int64_t r, int64_t rows, int64_t cols, format f) {
    const int64_t first = activation_index(r, cols / BLOCK), step = group_rows(r, rows);
    for (int64_t b = 0; b < cols / BLOCK; b++) {
        quantize_block(activation_at(out, first + b * step, f), load_block(in, b * BLOCK, F32), f);
    }
}

#define QUANTIZE_OF(suffix, f)                                                                                         \
    void TIER(gemma_quantize_rows_##suffix)(void *out, const float *in, int64_t in_stride, int64_t rows,               \
                                            int64_t cols) {                                                            \
        TEAM_EACH(rows, rows *cols / 4, r, quantize_row(out, in + r * in_stride, r, rows, cols, f));                   \
    }

QUANTIZE_OF(q8_0, Q8_0)
QUANTIZE_OF(q4_0, Q4_0)

static void quantize_groups(void *out, const float *in, int64_t r, int64_t cols) {
    const int8_row to = int8_row_at(out, r, cols);
    for (int64_t g = 0; g < cols / GROUP; g++) {
        const int8_block from = quantized(load_block(in, g * GROUP, F32));
        memcpy(to.q + g * GROUP, from.q, sizeof from.q);
        to.scale[g] = from.scale;
        to.low[g] = from.scale * (float)from.low;
        to.high[g] = from.scale * (float)from.high;
    }
}

void TIER(gemma_quantize_rows_blocks)(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols) {
    TEAM_EACH(rows, rows *cols / 4, r, quantize_groups(out, in + r * in_stride, r, cols));
}
