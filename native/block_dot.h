// block_dot.h: the integer part of a product: one block of rows of activations times a block of LANES rows of weights.
// Every tier gives the same integers; they differ in how they come by them.
#ifndef GEMMA_BLOCK_DOT_H
#define GEMMA_BLOCK_DOT_H

#include "panels.h"

#define CUTS (PANEL_ROWS / LANES) // vectors across a panel

typedef uint8_t vb __attribute__((vector_size(LANES * 4))); // 4 columns of LANES rows

// A block of weights, unpacked for dots: 4 columns each.
typedef struct {
    vb step[STEPS];
} weights;

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

#define DOT_UNIT(f) ((f) == Q8_0 ? 1.0f : 1.0f / 16) // what a sum counts in

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

// totals[r] = w . a[r], as SUM_BITS.
INLINE void block_dots(vi *totals, const weights *w, const activation *a, int rows, format f) {
    (void)f;
    UNROLL for (int r = 0; r < rows; r++) totals[r] = (vi){0} + a[r].start;
    UNROLL for (int s = 0; s < STEPS; s++) {
        UNROLL for (int r = 0; r < rows; r++) totals[r] = dot_step(totals[r], w->step[s], a[r].q + 4 * s);
    }
}

#else

#define DOT_UNIT(f) 1.0f

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

// Where a row's sum starts. Q4_0: values are 8 too large.
INLINE int32_t start_of(const activation *a, format f) {
    return f == Q8_0 ? SUM_BITS : SUM_BITS + (a->start - SUM_BITS) / 16;
}

#if defined(__AVX2__)

// vpmaddubsw sums pairs of unsigned times signed bytes in 16 bits, saturating: 15 * 127 * 2 fits eight times over; for
// Q8_0 the activations take the weights' signs, and 128 * 127 * 2 fits once.
INLINE vi block_dot(const weights *w, const activation *a, format f) {
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i sums = _mm256_setzero_si256(), total = _mm256_set1_epi32(start_of(a, f));
    UNROLL for (int s = 0; s < STEPS; s++) {
        int32_t four;
        memcpy(&four, a->q + 4 * s, sizeof four);
        __m256i q = _mm256_set1_epi32(four), v = (__m256i)w->step[s];
        if (f == Q8_0) {
            __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(v), _mm256_sign_epi8(q, v));
            total = _mm256_add_epi32(total, _mm256_madd_epi16(pairs, ones));
        } else {
            sums = _mm256_add_epi16(sums, _mm256_maddubs_epi16(v, q));
        }
    }
    return (vi)(f == Q8_0 ? total : _mm256_add_epi32(total, _mm256_madd_epi16(sums, ones)));
}

#else

typedef int16_t shorts __attribute__((vector_size(LANES * 4)));

// Products of bytes in 16 bits, the even ones plus the odd ones: 128 * 127 * 2 fits, and 15 * 127 * 2 eight times over.
INLINE vi block_dot(const weights *w, const activation *a, format f) {
    vi total = (vi){0} + start_of(a, f);
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

#endif

INLINE void block_dots(vi *totals, const weights *w, const activation *a, int rows, format f) {
    UNROLL for (int r = 0; r < rows; r++) totals[r] = block_dot(w, a + r, f);
}

#endif
#endif
