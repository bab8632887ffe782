// simd.h: the few vector operations the kernels are written in. A kernel file is compiled once per ISA tier
// (build-native.sh gives GEMMA_TIER and the -m flags); here the tier becomes a vector width and, where C has no word
// for it, an intrinsic. Vectors are GCC/clang vector types: + - * / < work lane by lane, and -ffp-contract=fast fuses
// a product and a sum into one FMA.
#ifndef GEMMA_SIMD_H
#define GEMMA_SIMD_H

#include "gemma_kernels.h"

#include <math.h>
#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define INLINE static inline __attribute__((always_inline, unused))
#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#define UNROLL_FOUR _Pragma("unroll 4")
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_FOUR _Pragma("GCC unroll 4")
#endif

// TIER(gemma_add_f32) is the name of this tier's copy, e.g. gemma_add_f32_avx2.
#define GEMMA_PASTE(name, tier) name##_##tier
#define GEMMA_PASTE_EXPANDED(name, tier) GEMMA_PASTE(name, tier)
#define TIER(name) GEMMA_PASTE_EXPANDED(name, GEMMA_TIER)

#if defined(__AVX512F__)
#define LANES 16
#elif defined(__AVX2__)
#define LANES 8
#else
#define LANES 4 // SSE2, NEON, or whatever the compiler makes of 16 bytes
#endif

typedef float vf __attribute__((vector_size(LANES * 4)));
typedef int32_t vi __attribute__((vector_size(LANES * 4)));
typedef uint32_t vu __attribute__((vector_size(LANES * 4)));
typedef uint16_t vh __attribute__((vector_size(LANES * 2))); // one bf16 or f16 per lane

INLINE vf splat(float x) { return x - (vf){0}; } // not + 0: that would lose the sign of -0

INLINE vf load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

// The first n of LANES floats, 0 <= n < LANES, the other lanes 0; nothing behind them is touched.
INLINE vf load_part(const float *p, int64_t n) {
#if defined(__AVX512F__)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#else
    vf v = {0};
    for (int64_t i = 0; i < n; i++) v[i] = p[i];
    return v;
#endif
}

INLINE void store_part(float *p, vf v, int64_t n) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#else
    for (int64_t i = 0; i < n; i++) p[i] = v[i];
#endif
}

// The same for sweeps that meet their tail on the way: the first min(left, LANES) floats.
INLINE vf load_n(const float *p, int64_t left) { return left >= LANES ? load(p) : load_part(p, left); }

INLINE void store_n(float *p, vf v, int64_t left) {
    if (left >= LANES)
        store(p, v);
    else
        store_part(p, v, left);
}

// mask ? a : b, lane by lane; mask is what a comparison gives (0 or -1)
INLINE vf blend(vi mask, vf a, vf b) {
#if defined(__AVX2__) && !defined(__AVX512F__)
    return (vf)_mm256_blendv_ps((__m256)b, (__m256)a, (__m256)mask);
#else
    return (vf)((mask & (vi)a) | (~mask & (vi)b));
#endif
}

// a > b ? a : b
INLINE vf vmax(vf a, vf b) {
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
    return (vf)_mm256_max_ps((__m256)a, (__m256)b);
#elif defined(__x86_64__)
    return (vf)_mm_max_ps((__m128)a, (__m128)b);
#else
    return blend(a > b, a, b);
#endif
}

// As load_n, the lanes behind `left` being `fill`.
INLINE vf load_filled(const float *p, int64_t left, float fill) {
    static const int32_t lane[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    vi index;
    if (left >= LANES) return load(p);
    memcpy(&index, lane, sizeof index);
    return blend(index < (int32_t)left, load_part(p, left), splat(fill));
}

// sum + a * b, one rounding wherever the tier has FMA: for sums whose bits must not depend on what the compiler chose
// to fuse
INLINE vf multiply_add(vf a, vf b, vf sum) {
#if defined(__AVX512F__)
    return (vf)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)sum);
#elif defined(__FMA__)
    return (vf)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#elif defined(__aarch64__)
    return (vf)vfmaq_f32((float32x4_t)sum, (float32x4_t)a, (float32x4_t)b);
#else
    return sum + a * b;
#endif
}

INLINE vf vsqrt(vf x) {
#if defined(__AVX512F__)
    return (vf)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (vf)_mm256_sqrt_ps((__m256)x);
#elif defined(__x86_64__)
    return (vf)_mm_sqrt_ps((__m128)x);
#elif defined(__aarch64__)
    return (vf)vsqrtq_f32((float32x4_t)x);
#else
    for (int i = 0; i < LANES; i++) x[i] = sqrtf(x[i]);
    return x;
#endif
}

// The sum and the maximum over the lanes, by halves. Intrinsics, because GCC 12 takes plain halving apart into single
// lanes.
#if defined(__AVX512F__)
INLINE float sum(vf v) { return _mm512_reduce_add_ps((__m512)v); }
INLINE float max_lane(vf v) { return _mm512_reduce_max_ps((__m512)v); }
#elif defined(__x86_64__)
#if defined(__AVX2__)
#define QUARTER(v, op) op(_mm256_castps256_ps128((__m256)v), _mm256_extractf128_ps((__m256)v, 1))
#else
#define QUARTER(v, op) (__m128) v
#endif
#define DEFINE_REDUCTION(name, op, op_ss)                                                                              \
    INLINE float name(vf v) {                                                                                          \
        __m128 four = QUARTER(v, op), two = op(four, _mm_movehl_ps(four, four));                                       \
        return _mm_cvtss_f32(op_ss(two, _mm_shuffle_ps(two, two, 1)));                                                 \
    }
DEFINE_REDUCTION(sum, _mm_add_ps, _mm_add_ss)
DEFINE_REDUCTION(max_lane, _mm_max_ps, _mm_max_ss)
#else
INLINE float sum(vf v) { return (v[0] + v[2]) + (v[1] + v[3]); }
INLINE float max_lane(vf v) { return fmaxf(fmaxf(v[0], v[2]), fmaxf(v[1], v[3])); }
#endif

// ---- 16-bit formats ------------------------------------------------------------------------------------------------

typedef enum { F32 = GEMMA_F32, BF16 = GEMMA_BF16, F16 } dtype;

INLINE int64_t bytes_of(dtype type) { return type == F32 ? 4 : 2; }

// The bits move up by 16. Intrinsics, because GCC 12 takes __builtin_convertvector apart into halves (half the speed of
// gemv).
INLINE vf widen_bf16(vh h) {
#if defined(__AVX512F__)
    return (vf)_mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)h), 16);
#elif defined(__AVX2__)
    return (vf)_mm256_slli_epi32(_mm256_cvtepu16_epi32((__m128i)h), 16);
#elif defined(__x86_64__)
    int64_t bits;
    memcpy(&bits, &h, sizeof bits);
    return (vf)_mm_unpacklo_epi16(_mm_setzero_si128(), _mm_cvtsi64_si128(bits));
#elif defined(__aarch64__)
    return (vf)vshll_n_u16((uint16x4_t)h, 16);
#else
    return (vf)(__builtin_convertvector(h, vu) << 16);
#endif
}

INLINE vf widen_f16(vh h) {
#if defined(__AVX512F__)
    return (vf)_mm512_cvtph_ps((__m256i)h);
#elif defined(__F16C__)
    return (vf)_mm256_cvtph_ps((__m128i)h);
#elif defined(__aarch64__)
    return (vf)vcvt_f32_f16((float16x4_t)h);
#else
    // exponent and mantissa moved into place, then times 2^112: exact, subnormals included; 31 is the exponent of inf
    // and NaN
    vu bits = __builtin_convertvector(h, vu), magnitude = (bits & 0x7fff) << 13;
    vf value = (vf)magnitude * 0x1p112f;
    vi special = (vi)(magnitude >= 0x0f800000);
    vu inf_or_nan = magnitude | 0x7f800000;
    return (vf)((vu)blend(special, (vf)inf_or_nan, value) | (bits & 0x8000) << 16);
#endif
}

// LANES elements of `type` from element i on, as f32; `type` is a constant where this is inlined.
INLINE vf load_as(const void *p, int64_t i, dtype type) {
    if (type == F32) return load((const float *)p + i);
    vh h;
    memcpy(&h, (const uint16_t *)p + i, sizeof h);
    return type == BF16 ? widen_bf16(h) : widen_f16(h);
}

// The same for the last n < LANES elements of a row.
INLINE vf load_part_as(const void *p, int64_t i, int64_t n, dtype type) {
    if (type == F32) return load_part((const float *)p + i, n);
    const uint16_t *from = (const uint16_t *)p + i;
#if defined(__AVX512BW__) && defined(__AVX512VL__)
    vh h = (vh)_mm256_maskz_loadu_epi16((__mmask16)((1u << n) - 1), from);
#else
    vh h = {0};
    for (int64_t j = 0; j < n; j++) h[j] = from[j];
#endif
    return type == BF16 ? widen_bf16(h) : widen_f16(h);
}

// The first min(left, LANES) elements from element i on.
INLINE vf load_n_as(const void *p, int64_t i, int64_t left, dtype type) {
    return left >= LANES ? load_as(p, i, type) : load_part_as(p, i, left, type);
}

INLINE void widen_halves(float *out, const uint16_t *in, int64_t n, dtype type) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) store(out + i, load_as(in, i, type));
    if (i < n) store_part(out + i, load_part_as(in, i, n - i, type), n - i);
}

#endif
