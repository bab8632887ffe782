// gguf_blocks.h: the block types of GGUF files as they lie there, and their values.
//
// A block holds 32 consecutive columns of a row (q4_0 ... q8_0, iq4_nl) or 256 (the k-types). Blocks of a row follow
// each other, rows follow each other, at any address. Values are computed as ggml's reference does (dequantize_row_* in
// ggml/src/ggml-quants.c): d * q or d * q - m, where every product is exact in f32 (an f16 scale has 11 bits, a scale
// of a scale up to 7, a quant up to 6), so that one rounding at most is left and fused or not gives the same bits.
#ifndef GEMMA_GGUF_BLOCKS_H
#define GEMMA_GGUF_BLOCKS_H

#include "simd.h"

// The most columns of a block.
#define MAX_BLOCK 256

// ggml's numbers (enum ggml_type).
enum { B_Q4_0 = 2, B_Q4_1 = 3, B_Q5_0 = 6, B_Q5_1 = 7, B_Q8_0 = 8, B_IQ4_NL = 20 };
enum { B_Q2_K = 10, B_Q3_K = 11, B_Q4_K = 12, B_Q5_K = 13, B_Q6_K = 14 };

// Writes the values of one block.
typedef void block_values(float *out, const uint8_t *block);

typedef struct {
    int32_t cols, bytes;
    block_values *values;
} block_type;

INLINE float half_at(const uint8_t *p) {
    vh bits = {0};
    memcpy(&bits, p, 2);
    return widen_f16(bits)[0];
}

// LANES bytes as integers 0 to 255.
INLINE vi load_bytes(const uint8_t *p) {
#if defined(__AVX512F__)
    return (vi)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p));
#elif defined(__AVX2__)
    return (vi)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p));
#else
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    bytes b;
    memcpy(&b, p, sizeof b);
    return __builtin_convertvector(b, vi);
#endif
}

INLINE vi load_signed_bytes(const uint8_t *p) { return (load_bytes(p) ^ 128) - 128; }

INLINE vf to_float(vi v) { return __builtin_convertvector(v, vf); }

// out = d * q + m
INLINE void store_scaled(float *out, vi q, float d, float m) {
    store(out, multiply_add(to_float(q), splat(d), splat(m)));
}

INLINE void store_product(float *out, vi q, float d) { store(out, to_float(q) * d); }

// ---- 32 columns: the low halves of 16 bytes are the first 16 columns, the high halves the others ----

static void values_q4_0(float *out, const uint8_t *block) {
    const float d = half_at(block);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_bytes(block + 2 + i);
        store_product(out + i, (q & 15) - 8, d);
        store_product(out + 16 + i, (q >> 4) - 8, d);
    }
}

static void values_q4_1(float *out, const uint8_t *block) {
    const float d = half_at(block), m = half_at(block + 2);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_bytes(block + 4 + i);
        store_scaled(out + i, q & 15, d, m);
        store_scaled(out + 16 + i, q >> 4, d, m);
    }
}

// The fifth bits: bit `from` + lane of a 32-bit word, as 16 or 0.
INLINE vi fifth_bits(const uint8_t *p, int from) {
    static const int32_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vu index;
    uint32_t word;
    memcpy(&index, lane, sizeof index);
    memcpy(&word, p, sizeof word);
    return (vi)((((vu){0} + (word >> from)) >> index & 1u) << 4);
}

static void values_q5_0(float *out, const uint8_t *block) {
    const float d = half_at(block);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_bytes(block + 6 + i);
        store_product(out + i, ((q & 15) | fifth_bits(block + 2, i)) - 16, d);
        store_product(out + 16 + i, ((q >> 4) | fifth_bits(block + 2, 16 + i)) - 16, d);
    }
}

static void values_q5_1(float *out, const uint8_t *block) {
    const float d = half_at(block), m = half_at(block + 2);
    for (int i = 0; i < 16; i += LANES) {
        vi q = load_bytes(block + 8 + i);
        store_scaled(out + i, (q & 15) | fifth_bits(block + 4, i), d, m);
        store_scaled(out + 16 + i, (q >> 4) | fifth_bits(block + 4, 16 + i), d, m);
    }
}

static void values_q8_0(float *out, const uint8_t *block) {
    const float d = half_at(block);
    for (int i = 0; i < 32; i += LANES) store_product(out + i, load_signed_bytes(block + 2 + i), d);
}

static const int8_t IQ4_NL_LEVELS[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static void values_iq4_nl(float *out, const uint8_t *block) {
    const float d = half_at(block);
#if defined(__AVX512F__)
    const __m512 table = (__m512)to_float(load_signed_bytes((const uint8_t *)IQ4_NL_LEVELS));
    vi q = load_bytes(block + 2);
    store(out, (vf)_mm512_permutexvar_ps((__m512i)(q & 15), table) * d);
    store(out + 16, (vf)_mm512_permutexvar_ps((__m512i)(q >> 4), table) * d);
#else
    for (int i = 0; i < 16; i++) {
        out[i] = IQ4_NL_LEVELS[block[2 + i] & 15] * d;
        out[16 + i] = IQ4_NL_LEVELS[block[2 + i] >> 4] * d;
    }
#endif
}

// ---- 256 columns ----

// scales u8 [16] (scale low, minimum high half), quants u8 [2][32] of 2 bits for 4 x 32 columns, d, dmin
static void values_q2_k(float *out, const uint8_t *block) {
    const float d = half_at(block + 80), min = half_at(block + 82);
    const uint8_t *scales = block, *quants = block + 16;
    for (int s = 0; s < 16; s++) { // sixteen columns each
        const uint8_t *q = quants + s / 8 * 32 + s % 2 * 16;
        const int shift = s / 2 % 4 * 2;
        for (int i = 0; i < 16; i += LANES) {
            store_scaled(out + s * 16 + i, (load_bytes(q + i) >> shift) & 3, d * (float)(scales[s] & 15),
                         -(min * (float)(scales[s] >> 4)));
        }
    }
}

// high bits u8 [32], bit g for the g-th 32 columns; quants as above; scales of 6 bits u8 [12]; d
static void values_q3_k(float *out, const uint8_t *block) {
    const float d = half_at(block + 108);
    const uint8_t *high = block, *quants = block + 32, *scales = block + 96;
    for (int s = 0; s < 16; s++) {
        const uint8_t *q = quants + s / 8 * 32 + s % 2 * 16, *h = high + s % 2 * 16;
        const int shift = s / 2 % 4 * 2, bit = s / 2;
        const int low = scales[s % 8] >> (s / 8 * 4) & 15, top = scales[8 + s % 4] >> (s / 4 * 2) & 3;
        const float scale = d * (float)((low | top << 4) - 32);
        for (int i = 0; i < 16; i += LANES) {
            vi low_bits = (load_bytes(q + i) >> shift) & 3, high_bit = (load_bytes(h + i) >> bit) & 1;
            store_product(out + s * 16 + i, low_bits + (high_bit << 2) - 4, scale);
        }
    }
}

// Scale and minimum, 6 bits each, of the s-th 32 columns, out of the 12 bytes that q4_k and q5_k keep them in.
INLINE void scale_and_min(const uint8_t *packed, int s, float *scale, float *min) {
    if (s < 4) {
        *scale = (float)(packed[s] & 63);
        *min = (float)(packed[s + 4] & 63);
    } else {
        *scale = (float)((packed[s + 4] & 15) | packed[s - 4] >> 6 << 4);
        *min = (float)(packed[s + 4] >> 4 | packed[s] >> 6 << 4);
    }
}

// d, dmin, scales u8 [12], quants u8 [4][32]: the low halves are 32 columns, the high halves the next 32
static void values_q4_k(float *out, const uint8_t *block) {
    const float d = half_at(block), dmin = half_at(block + 2);
    for (int s = 0; s < 8; s++) {
        float scale, min;
        scale_and_min(block + 4, s, &scale, &min);
        const uint8_t *q = block + 16 + s / 2 * 32;
        const int shift = s % 2 * 4;
        for (int i = 0; i < 32; i += LANES) {
            store_scaled(out + s * 32 + i, (load_bytes(q + i) >> shift) & 15, d * scale, -(dmin * min));
        }
    }
}

// as q4_k, with a fifth bit u8 [32] in front of the quants: bit s for the s-th 32 columns
static void values_q5_k(float *out, const uint8_t *block) {
    const float d = half_at(block), dmin = half_at(block + 2);
    for (int s = 0; s < 8; s++) {
        float scale, min;
        scale_and_min(block + 4, s, &scale, &min);
        const uint8_t *q = block + 48 + s / 2 * 32, *high = block + 16;
        const int shift = s % 2 * 4;
        for (int i = 0; i < 32; i += LANES) {
            vi fifth = ((load_bytes(high + i) >> s) & 1) << 4;
            store_scaled(out + s * 32 + i, ((load_bytes(q + i) >> shift) & 15) + fifth, d * scale, -(dmin * min));
        }
    }
}

// low 4 bits u8 [2][64], high 2 bits u8 [2][32], scales i8 [16], d; each half of 128 columns is four runs of 32
static void values_q6_k(float *out, const uint8_t *block) {
    const float d = half_at(block + 208);
    for (int s = 0; s < 16; s++) { // sixteen columns each
        const int half = s / 8, run = s / 2 % 4, from = s % 2 * 16;
        const uint8_t *low = block + half * 64 + run % 2 * 32 + from, *high = block + 128 + half * 32 + from;
        const int low_shift = run / 2 * 4, high_shift = run * 2;
        const float scale = d * (float)(int8_t)block[192 + s];
        for (int i = 0; i < 16; i += LANES) {
            vi q = ((load_bytes(low + i) >> low_shift) & 15) | ((load_bytes(high + i) >> high_shift) & 3) << 4;
            store_product(out + s * 16 + i, q - 32, scale);
        }
    }
}

static const block_type BLOCK_TYPES[] = {
    [B_Q4_0] = {32, 18, values_q4_0},   [B_Q4_1] = {32, 20, values_q4_1},     [B_Q5_0] = {32, 22, values_q5_0},
    [B_Q5_1] = {32, 24, values_q5_1},   [B_Q8_0] = {32, 34, values_q8_0},     [B_Q2_K] = {256, 84, values_q2_k},
    [B_Q3_K] = {256, 110, values_q3_k}, [B_Q4_K] = {256, 144, values_q4_k},   [B_Q5_K] = {256, 176, values_q5_k},
    [B_Q6_K] = {256, 210, values_q6_k}, [B_IQ4_NL] = {32, 18, values_iq4_nl},
};

// `cols` values, a multiple of the block's, from the block at `blocks` on.
INLINE void block_row(float *out, const uint8_t *blocks, const block_type *type, int64_t cols) {
    for (int64_t c = 0; c < cols; c += type->cols, blocks += type->bytes) type->values(out + c, blocks);
}

INLINE int64_t block_row_bytes(const block_type *type, int64_t cols) { return cols / type->cols * type->bytes; }

#endif
