// pack: weights [rows, cols], f32, bf16, f16 or GGUF's own blocks, to panels of Q8_0 or Q4_0 (panels.h), or f32 to
// GGUF's own blocks
//   Quantizing is ggml's reference, to the bit (ggml-quants.c, quantize_row_q8_0_ref and quantize_row_q4_0_ref):
//   Q8_0  d = max|x| / 127, value = roundf(x * (1 / d))
//   Q4_0  d = x of largest |x| / -8, the first such x; value + 8 = min(15, (int)(x * (1 / d) + 8.5))
//   all in f32; d is then rounded to f16. 1 / d is 0 for d = 0, and here also where it would overflow.
// Threads split the panels; the rows of a panel are read side by side.
#include "blocks.h"
#include "team.h"

#define AHEAD 256 // bytes of each row asked for ahead of the loads

// a or other, whichever comes first in a block that has both.
INLINE float first_of(block b, float a, float other) {
    for (int p = 0; p < PARTS; p++) {
        for (int i = 0; i < LANES; i++) {
            if (b.part[p][i] == a || b.part[p][i] == other) return b.part[p][i];
        }
    }
    return a;
}

#if defined(__AVX512F__)
#include "pack_avx512.h"
#elif defined(__AVX2__)
#include "pack_avx2.h"
#endif

// The scales of one block, as f16.
static void store_scales(char *out, const float *scales) {
#if defined(__AVX512F__)
    _mm256_storeu_si256((__m256i *)out, _mm512_cvtps_ph(_mm512_loadu_ps(scales), 0));
#else
    for (int r = 0; r < PANEL_ROWS; r++) {
        uint16_t bits = narrow_f16(scales[r]);
        memcpy(out + 2 * r, &bits, sizeof bits);
    }
#endif
}

// Row r's part of a block: its bytes, 4 columns at a time, go 64 bytes apart.
INLINE void store_quants(char *out, int r, const uint8_t *bytes, int64_t count) {
    UNROLL for (int64_t i = 0; i < count; i += 4) memcpy(out + i * PANEL_ROWS + r * 4, bytes + i, 4);
}

INLINE float inverse_of(float d) {
    float inverse = d != 0 ? 1 / d : 0;
    return isfinite(inverse) ? inverse : 0;
}

// The largest and the smallest value of a block.
INLINE void extremes(block b, float *high, float *low) {
    vf most = b.part[0], minus_least = -b.part[0];
    UNROLL for (int p = 1; p < PARTS; p++) {
        most = vmax(most, b.part[p]);
        minus_least = vmax(minus_least, -b.part[p]);
    }
    *high = max_lane(most);
    *low = -max_lane(minus_least);
}

// Both write a block's bytes and give its d.
INLINE float quantize_q8_0(uint8_t *bytes, block b) {
    float high, low;
    extremes(b, &high, &low);
    float d = fabsf(high > -low ? high : low) / 127;
    b = scaled(b, inverse_of(d));
    UNROLL for (int p = 0; p < PARTS; p++) store_bytes(bytes + p * LANES, away(b.part[p]) + 128);
    return d;
}

INLINE float quantize_q4_0(uint8_t *bytes, block b) {
    float high, low;
    extremes(b, &high, &low);
    float most = high > -low ? high : low;
    if (high == -low) most = first_of(b, high, low);
    float d = (most + 0.0f) / -8; // a block of zeros, of whichever sign, has the d -0
    b = scaled(b, inverse_of(d));
    uint8_t values[BLOCK];
    UNROLL for (int p = 0; p < PARTS; p++) {
        vi value = truncated(b.part[p] + 8.5f), most_value = (vi){0} + 15;
        store_bytes(values + p * LANES, (vi)blend(value > most_value, (vf)most_value, (vf)value));
    }
    UNROLL for (int i = 0; i < BLOCK / 2; i++) bytes[i] = (uint8_t)(values[i] | values[i + BLOCK / 2] << 4);
    return d;
}

typedef struct {
    char *out;
    const void *in;
    int64_t in_stride, rows, cols;
} packing;

// One block of the rows of a panel, `stride` bytes apart.
INLINE void pack_block(char *quants, char *scales, const char *in, int64_t stride, int64_t rows, dtype type, format f) {
#if defined(__AVX2__)
    if (rows == PANEL_ROWS) {
        UNROLL for (int r = 0; r < PANEL_ROWS; r++) {
            __builtin_prefetch(in + r * stride + AHEAD);
            if (type == F32) __builtin_prefetch(in + r * stride + AHEAD + 64);
        }
        if (f == Q8_0)
            pack_rows_q8_0(quants, scales, in, stride, type);
        else
            pack_rows_q4_0(quants, scales, in, stride, type);
        return;
    }
#endif
    float d[PANEL_ROWS] = {0};
    for (int r = 0; r < rows; r++) {
        uint8_t bytes[BLOCK];
        block values = load_block(in + r * stride, 0, type);
        d[r] = f == Q8_0 ? quantize_q8_0(bytes, values) : quantize_q4_0(bytes, values);
        store_quants(quants, r, bytes, quants_bytes(f) / PANEL_ROWS);
    }
    store_scales(scales, d);
}

// Zeros where rows are missing, and in the scales beside an odd last block.
static void clear_unused(char *panel, int64_t rows, int64_t cols, format f) {
    int64_t blocks = cols / BLOCK;
    if (rows < PANEL_ROWS)
        memset(panel, 0, (size_t)panel_bytes(cols, f));
    else if (blocks % 2 == 1)
        memset(panel + scales_offset(blocks, f), 0, 2 * PANEL_ROWS);
}

static int64_t rows_in_panel(const packing *p, int64_t panel) {
    int64_t left = p->rows - panel * PANEL_ROWS;
    return left < PANEL_ROWS ? left : PANEL_ROWS;
}

// Panels [from, to) out of values.
INLINE void pack_panels(const packing *p, int64_t from, int64_t to, dtype type, format f) {
    for (int64_t panel = from; panel < to; panel++) {
        char *out = p->out + panel * panel_bytes(p->cols, f);
        const char *in = (const char *)p->in + panel * PANEL_ROWS * p->in_stride * bytes_of(type);
        int64_t rows = rows_in_panel(p, panel);
        clear_unused(out, rows, p->cols, f);
        for (int64_t b = 0; b < p->cols / BLOCK; b++) {
            pack_block(out + quants_offset(b, f), out + scales_offset(b, f), in + b * BLOCK * bytes_of(type),
                       p->in_stride * bytes_of(type), rows, type, f);
        }
    }
}

// Panels [from, to) out of GGUF's blocks: an f16 scale, then the values as signed bytes or the nibbles of values + 8.
INLINE void pack_blocks(const packing *p, int64_t from, int64_t to, format f) {
    const int64_t quants = quants_bytes(f) / PANEL_ROWS, stride = p->cols / BLOCK * (2 + quants);
    const uint32_t flip = f == Q8_0 ? 0x80808080u : 0; // value + 128
    for (int64_t panel = from; panel < to; panel++) {
        char *out = p->out + panel * panel_bytes(p->cols, f);
        int64_t rows = rows_in_panel(p, panel);
        clear_unused(out, rows, p->cols, f);
        for (int64_t b = 0; b < p->cols / BLOCK; b++) {
            const char *in = (const char *)p->in + panel * PANEL_ROWS * stride + b * (2 + quants);
            for (int64_t r = 0; r < rows; r++, in += stride) {
                __builtin_prefetch(in +
                                   PANEL_ROWS * stride); // of the next panel: rows are too short for the CPU to foresee
                memcpy(out + scales_offset(b, f) + 2 * r, in, 2);
                UNROLL for (int64_t i = 0; i < quants; i += 4) {
                    uint32_t bytes;
                    memcpy(&bytes, in + 2 + i, 4);
                    bytes ^= flip;
                    memcpy(out + quants_offset(b, f) + i * PANEL_ROWS + r * 4, &bytes, 4);
                }
            }
        }
    }
}

// A row to GGUF's blocks.
INLINE void quantize_row(char *out, const float *in, int64_t cols, format f) {
    const int64_t quants = quants_bytes(f) / PANEL_ROWS;
    for (int64_t c = 0; c < cols; c += BLOCK, out += 2 + quants) {
        uint8_t bytes[BLOCK];
        block values = load_block(in, c, F32);
        float d = f == Q8_0 ? quantize_q8_0(bytes, values) : quantize_q4_0(bytes, values);
        uint16_t scale = narrow_f16(d);
        memcpy(out, &scale, sizeof scale);
        if (f == Q8_0) {
            UNROLL for (int i = 0; i < BLOCK; i++) bytes[i] ^= 0x80; // value + 128
        }
        memcpy(out + 2, bytes, (size_t)quants);
    }
}

#define PACK_OF(suffix, f, from_suffix, T, type)                                                                       \
    void TIER(gemma_pack_##suffix##_##from_suffix)(void *out, const T *in, int64_t in_stride, int64_t rows,            \
                                                   int64_t cols) {                                                     \
        const packing p = {out, in, in_stride, rows, cols};                                                            \
        TEAM_SPLIT((rows + PANEL_ROWS - 1) / PANEL_ROWS, 1, rows * cols / 4, from, to,                                 \
                   pack_panels(&p, from, to, type, f));                                                                \
    }
#define PACK(suffix, f)                                                                                                \
    PACK_OF(suffix, f, f32, float, F32)                                                                                \
    PACK_OF(suffix, f, bf16, uint16_t, BF16)                                                                           \
    PACK_OF(suffix, f, f16, uint16_t, F16)                                                                             \
    void TIER(gemma_pack_##suffix##_blocks)(void *out, const void *blocks, int64_t rows, int64_t cols) {               \
        const packing p = {out, blocks, 0, rows, cols};                                                                \
        TEAM_SPLIT((rows + PANEL_ROWS - 1) / PANEL_ROWS, 1, rows * cols / 8, from, to, pack_blocks(&p, from, to, f));  \
    }                                                                                                                  \
    void TIER(gemma_quantize_blocks_##suffix)(void *out, const float *in, int64_t in_stride, int64_t rows,             \
                                              int64_t cols) {                                                          \
        const int64_t row_bytes = cols / BLOCK * (2 + quants_bytes(f) / PANEL_ROWS);                                   \
        TEAM_EACH(rows, rows *cols / 4, r, quantize_row((char *)out + r * row_bytes, in + r * in_stride, cols, f));    \
    }

PACK(q8_0, Q8_0)
PACK(q4_0, Q4_0)
