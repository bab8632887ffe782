// block_dot.h: the integer part of a product: one block of rows of activations times a block of LANES rows of weights.
// Every tier gives the same integers; they differ in how they come by them.
#ifndef GEMMA_BLOCK_DOT_H
#define GEMMA_BLOCK_DOT_H

#include "panels.h"

#define CUTS (PANEL_ROWS / LANES) // vectors across a panel

typedef uint8_t vb __attribute__((vector_size(LANES * 4))); // 4 columns of LANES rows

INLINE vb load_bytes(const char *p) {
    vb v;
    memcpy(&v, p, sizeof v);
    return v;
}

// A block's sum times the weights' scale, rounded once. `total` holds bits (SUM_BITS), `base` is SUM_BASE * scale,
// which is exact.
INLINE vf weighted(vi total, vf scale, vf base) {
#if defined(__AVX512F__)
    return (vf)_mm512_fmsub_ps((__m512)total, (__m512)scale, (__m512)base);
#elif defined(__AVX2__)
    return (vf)_mm256_fmsub_ps((__m256)total, (__m256)scale, (__m256)base);
#else
    (void)base;
    return ((vf)total - SUM_BASE) * scale;
#endif
}

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)

#define DOTS_FILL_REGISTERS 0
#define DOT_UNIT(f) ((f) == Q8_0 ? 1.0f : 1.0f / 16) // what a sum counts in
#define DOT_CUTS 1

// A block of weights, unpacked for dots: 4 columns each.
typedef struct {
    vb step[STEPS];
} weights;

// vpdpbusd: unsigned weights times signed activations. Q4_0's values stay in the high half of a byte, 16 times too
// large.
INLINE weights unpack(const char *quants, int cut, format f) {
    const int vectors = f == Q8_0 ? STEPS : STEPS / 2;
    weights w;
    UNROLL for (int s = 0; s < vectors; s++) {
        vb bytes = load_bytes(quants + s * PANEL_ROWS * 4 + cut * LANES * 4);
        w.step[s] = f == Q8_0 ? bytes : bytes << 4;
        if (f == Q4_0) w.step[s + STEPS / 2] = bytes & 0xf0;
    }
    return w;
}

// total += w . q, the same 4 of q for each lane. GCC 12 broadcasts by an instruction of its own, which takes a third of
// the speed.
INLINE vi dot_step(vi total, vb w, const int8_t *q) {
#if defined(__AVX512VNNI__)
    __asm__("vpdpbusd %2%{1to16%}, %1, %0" : "+v"(total) : "v"(w), "m"(*(const int8_t(*)[4])q));
    return total;
#else
    int32_t four;
    memcpy(&four, q, sizeof four);
    return (vi)_mm256_dpbusd_avx_epi32((__m256i)total, (__m256i)w, _mm256_set1_epi32(four));
#endif
}

// totals[r] = w . row r of a, as SUM_BITS.
INLINE void block_dots(vi totals[][DOT_CUTS], const weights *w, const activation *a, int rows, format f) {
    UNROLL for (int r = 0; r < rows; r++) totals[r][0] = (vi){0} + activation_at(a, r, f)->start;
    UNROLL for (int s = 0; s < STEPS; s++) {
        UNROLL for (int r = 0; r < rows; r++) {
            totals[r][0] = dot_step(totals[r][0], w->step[s], activation_at(a, r, f)->q + 4 * s);
        }
    }
}

#elif defined(__AVX2__)

#define DOTS_FILL_REGISTERS 1 // the sums of blocks are better off in memory
#define DOT_UNIT(f) 1.0f
#define DOT_CUTS CUTS // one load of activations serves the whole panel

// A block of weights as it lies in memory: unpacked as its products are taken, since it would fill the registers.
typedef struct {
    const char *quants;
} weights;

INLINE weights unpack(const char *quants, int cut, format f) {
    (void)f;
    return (weights){quants + cut * LANES * 4};
}

INLINE __m256i all_lanes(const void *p) {
    int32_t bits;
    memcpy(&bits, p, sizeof bits);
    return _mm256_set1_epi32(bits);
}

// GCC 12 would reorder a chain of integer sums, and then lacks registers.
INLINE __m256i in_order(__m256i sum) {
    __asm__("" : "+x"(sum));
    return sum;
}

// vpmaddubsw sums pairs of unsigned times signed bytes in 16 bits: Q4_0's 15 * 127 * 2 fits eight times over. Q8_0's do
// not fit, so its bytes become 16 bits, every second one at a time, and vpmaddwd sums pairs in 32 bits.
INLINE void dot_half(__m256i totals[][DOT_CUTS], const __m256i *w, const void *q, int64_t step, int rows, format f) {
    UNROLL for (int r = 0; r < rows; r++) {
        const __m256i x = all_lanes((const char *)q + r * step);
        UNROLL for (int c = 0; c < DOT_CUTS; c++) {
            totals[r][c] = in_order(f == Q8_0 ? _mm256_add_epi32(totals[r][c], _mm256_madd_epi16(w[c], x))
                                              : _mm256_add_epi16(totals[r][c], _mm256_maddubs_epi16(w[c], x)));
        }
    }
}

// totals[r] = w . row r of a, as SUM_BITS.
INLINE void block_dots(vi totals[][DOT_CUTS], const weights *w, const activation *a, int rows, format f) {
    const __m256i mask = f == Q8_0 ? _mm256_set1_epi16(0xff) : _mm256_set1_epi8(15), ones = _mm256_set1_epi16(1);
    const int steps = f == Q8_0 ? STEPS : STEPS / 2;
    __m256i sums[4][DOT_CUTS];
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int c = 0; c < DOT_CUTS; c++) {
            sums[r][c] = f == Q8_0 ? all_lanes(&activation_at(a, r, f)->start) : _mm256_setzero_si256();
        }
    }
    UNROLL for (int s = 0; s < steps; s++) {
        __m256i bytes[DOT_CUTS], half[DOT_CUTS];
        UNROLL for (int c = 0; c < DOT_CUTS; c++) {
            bytes[c] = (__m256i)load_bytes(w->quants + s * PANEL_ROWS * 4 + c * LANES * 4);
            half[c] = _mm256_and_si256(bytes[c], mask);
        }
        dot_half(sums, half, f == Q8_0 ? (const void *)(a->wide + 4 * s) : a->q + 4 * s, activation_bytes(f), rows, f);
        UNROLL for (int c = 0; c < DOT_CUTS; c++) {
            half[c] = f == Q8_0 ? _mm256_srli_epi16(bytes[c], 8)
                                : _mm256_and_si256(_mm256_srli_epi16(bytes[c], 4), mask);
        }
        dot_half(sums, half, f == Q8_0 ? (const void *)(a->wide + 4 * s + 2) : a->q + 4 * (s + STEPS / 2),
                 activation_bytes(f), rows, f);
    }
    UNROLL for (int r = 0; r < rows; r++) {
        // Q4_0's values are 8 too large
        const int32_t start = SUM_BITS + (activation_at(a, r, f)->start - SUM_BITS) / 16;
        UNROLL for (int c = 0; c < DOT_CUTS; c++) {
            totals[r][c] = f == Q8_0 ? (vi)sums[r][c] : (vi)_mm256_madd_epi16(sums[r][c], ones) + start;
        }
    }
}

#else

#define DOTS_FILL_REGISTERS 0
#define DOT_UNIT(f) 1.0f
#define DOT_CUTS 1

typedef struct {
    vb step[STEPS];
} weights;

INLINE weights unpack(const char *quants, int cut, format f) {
    const int vectors = f == Q8_0 ? STEPS : STEPS / 2;
    weights w;
    UNROLL for (int s = 0; s < vectors; s++) {
        vb bytes = load_bytes(quants + s * PANEL_ROWS * 4 + cut * LANES * 4);
        w.step[s] = f == Q8_0 ? bytes ^ 0x80 : bytes & 15; // Q8_0: signed
        if (f == Q4_0) w.step[s + STEPS / 2] = bytes >> 4;
    }
    return w;
}

typedef int16_t shorts __attribute__((vector_size(LANES * 4)));

// Products of bytes in 16 bits, the even ones plus the odd ones: 128 * 127 * 2 fits, and 15 * 127 * 2 eight times over.
INLINE vi block_dot(const weights *w, const activation *a, format f) {
    // Q4_0's values are 8 too large
    vi total = (vi){0} + (f == Q8_0 ? SUM_BITS : SUM_BITS + (a->start - SUM_BITS) / 16);
    shorts sums = {0};
    UNROLL for (int s = 0; s < STEPS; s++) {
        int32_t four;
        memcpy(&four, a->q + 4 * s, sizeof four);
        const shorts q = (shorts)((vi){0} + four), v = (shorts)w->step[s];
        const shorts products = (v << 8 >> 8) * (q << 8 >> 8) + (v >> 8) * (q >> 8);
        if (f == Q8_0)
            total += ((vi)products << 16 >> 16) + ((vi)products >> 16);
        else
            sums += products;
    }
    return f == Q8_0 ? total : total + ((vi)sums << 16 >> 16) + ((vi)sums >> 16);
}

INLINE void block_dots(vi totals[][DOT_CUTS], const weights *w, const activation *a, int rows, format f) {
    UNROLL for (int r = 0; r < rows; r++) totals[r][0] = block_dot(w, activation_at(a, r, f), f);
}

#endif
#endif
