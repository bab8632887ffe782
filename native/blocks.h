// blocks.h: a block of 32 values in vectors, and the roundings that quantizing needs.
#ifndef GEMMA_BLOCKS_H
#define GEMMA_BLOCKS_H

#include "panels.h"

#define PARTS (BLOCK / LANES)

typedef struct {
    vf part[PARTS];
} block;

// Keeps a product from becoming one FMA with the sum behind it: what is rounded next must have been rounded as a
// product first, on every tier.
INLINE vf as_product(vf v) {
#if defined(__AVX512F__)
    __asm__("" : "+v"(v));
#elif defined(__x86_64__)
    __asm__("" : "+x"(v));
#elif defined(__aarch64__)
    __asm__("" : "+w"(v));
#else
    __asm__("" : "+m"(v));
#endif
    return v;
}

INLINE block load_block(const void *in, int64_t i, dtype type) {
    block b;
    UNROLL for (int p = 0; p < PARTS; p++) b.part[p] = load_as(in, i + p * LANES, type);
    return b;
}

INLINE block scaled(block b, float factor) {
    UNROLL for (int p = 0; p < PARTS; p++) b.part[p] = as_product(b.part[p] * factor);
    return b;
}

// To the nearest integer, ties to even.
INLINE vi nearest(vf v) {
#if defined(__AVX512F__)
    return (vi)_mm512_cvtps_epi32((__m512)v);
#elif defined(__AVX2__)
    return (vi)_mm256_cvtps_epi32((__m256)v);
#elif defined(__x86_64__)
    return (vi)_mm_cvtps_epi32((__m128)v);
#elif defined(__aarch64__)
    return (vi)vcvtnq_s32_f32((float32x4_t)v);
#else
    vi rounded;
    for (int i = 0; i < LANES; i++) rounded[i] = (int32_t)rintf(v[i]);
    return rounded;
#endif
}

// Towards zero.
INLINE vi truncated(vf v) {
#if defined(__AVX512F__)
    return (vi)_mm512_cvttps_epi32((__m512)v);
#elif defined(__AVX2__)
    return (vi)_mm256_cvttps_epi32((__m256)v);
#elif defined(__x86_64__)
    return (vi)_mm_cvttps_epi32((__m128)v);
#else
    return __builtin_convertvector(v, vi);
#endif
}

// C's roundf, ties away from zero: towards zero after adding the largest number below a half.
INLINE vi away(vf v) {
    const vu half = (vu)splat(0x1.fffffep-2f);
    return truncated(v + (vf)(half | ((vu)v & 0x80000000u)));
}

// Lanes to bytes; they fit.
INLINE void store_bytes(uint8_t *out, vi v) {
#if defined(__AVX512F__)
    _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8((__m512i)v));
#else
    typedef uint8_t bytes __attribute__((vector_size(LANES)));
    bytes b = __builtin_convertvector((vu)v, bytes);
    memcpy(out, &b, sizeof b);
#endif
}

// f32 to f16, to nearest, ties to even.
INLINE uint16_t narrow_f16(float x) {
#if defined(__F16C__)
    return _cvtss_sh(x, 0);
#elif defined(__aarch64__)
    __fp16 h = (__fp16)x;
    uint16_t half;
    memcpy(&half, &h, sizeof half);
    return half;
#else
    uint32_t bits, sign, exponent;
    memcpy(&bits, &x, sizeof bits);
    sign = bits >> 16 & 0x8000;
    bits &= 0x7fffffff;
    exponent = bits >> 23;
    if (bits > 0x7f800000) return (uint16_t)(sign | 0x7e00);  // NaN
    if (bits >= 0x477ff000) return (uint16_t)(sign | 0x7c00); // from 65520 on
    if (exponent < 102) return (uint16_t)sign;                // below half of the least subnormal
    // what is dropped: 13 bits, and one more for each exponent below the least normal one, -14
    uint32_t mantissa = (bits & 0x7fffff) | 0x800000, dropped = exponent < 113 ? 126 - exponent : 13;
    uint32_t kept = mantissa >> dropped, rest = mantissa & ((1u << dropped) - 1), half = 1u << (dropped - 1);
    kept += rest > half || (rest == half && (kept & 1)); // may carry into the exponent, as it should
    return (uint16_t)(sign | (exponent < 113 ? kept : kept + ((exponent - 113) << 10)));
#endif
}

INLINE vf magnitude(vf v) { return (vf)((vu)v & 0x7fffffffu); }

#endif
