// pack_avx2.h: one block of all rows of a full panel, eight rows side by side. Included by pack.c alone, which has the
// definitions of the formats and what runs elsewhere.
#ifndef GEMMA_PACK_AVX2_H
#define GEMMA_PACK_AVX2_H

#include "blocks.h"
#include "transpose.h"

#define STEP_BYTES (PANEL_ROWS * 4) // from one step of a panel to the next

// v[s] = the dwords of eight rows for step `steps[s]`.
INLINE void store_steps(char *out, const __m256 *v, const int *steps, int count) {
    UNROLL for (int s = 0; s < count; s++) _mm256_storeu_ps((float *)(out + steps[s] * STEP_BYTES), v[s]);
}

// Lane r = the largest lane of v[r]: halves of two, four and eight vectors are laid side by side and compared.
INLINE vf largest_lanes(const vf *v) {
    __m256 fours[2];
    UNROLL for (int i = 0; i < 2; i++) {
        const vf *a = v + 4 * i;
        __m256 b[2];
        UNROLL for (int j = 0; j < 2; j++) {
            const __m256 one = (__m256)a[2 * j], other = (__m256)a[2 * j + 1];
            b[j] = _mm256_max_ps(_mm256_unpacklo_ps(one, other), _mm256_unpackhi_ps(one, other));
        }
        const __m256d low = _mm256_castps_pd(b[0]), high = _mm256_castps_pd(b[1]);
        fours[i] = _mm256_max_ps(_mm256_castpd_ps(_mm256_unpacklo_pd(low, high)),
                                 _mm256_castpd_ps(_mm256_unpackhi_pd(low, high)));
    }
    return (vf)_mm256_max_ps(_mm256_permute2f128_ps(fours[0], fours[1], 0x20),
                             _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
}

// 0 where d is 0 or 1 / d is not finite.
INLINE vf inverses_of(vf d) {
    const vf inverse = splat(1) / d;
    return (vf)((vi)inverse & (magnitude(inverse) < splat(INFINITY)));
}

INLINE void pack_lanes_q8_0(char *quants, char *scales, const char *in, int64_t stride, dtype type) {
    vf most[LANES];
    UNROLL for (int r = 0; r < LANES; r++) {
        const block b = load_block(in + r * stride, 0, type);
        most[r] = vmax(vmax(magnitude(b.part[0]), magnitude(b.part[1])),
                       vmax(magnitude(b.part[2]), magnitude(b.part[3])));
    }
    const vf d = largest_lanes(most) / 127;
    float inverse[LANES];
    store(inverse, inverses_of(d));
    _mm_storeu_si128((__m128i *)scales, _mm256_cvtps_ph((__m256)d, 0));

    __m256 v[LANES];
    UNROLL for (int r = 0; r < LANES; r++) {
        const block b = scaled(load_block(in + r * stride, 0, type), inverse[r]);
        __m256i q[PARTS];
        UNROLL for (int p = 0; p < PARTS; p++) q[p] = (__m256i)away(b.part[p]);
        const __m256i bytes = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
        v[r] = _mm256_castsi256_ps(_mm256_xor_si256(bytes, _mm256_set1_epi8((char)0x80))); // value + 128
    }
    transpose_block(v);
    store_steps(quants, v, (const int[]){0, 2, 4, 6, 1, 3, 5, 7}, 8); // packing took 4 columns of each vector in turn
}

INLINE void pack_lanes_q4_0(char *quants, char *scales, const char *in, int64_t stride, dtype type) {
    vf highs[LANES], lows[LANES];
    UNROLL for (int r = 0; r < LANES; r++) {
        const block b = load_block(in + r * stride, 0, type);
        highs[r] = vmax(vmax(b.part[0], b.part[1]), vmax(b.part[2], b.part[3]));
        lows[r] = vmax(vmax(-b.part[0], -b.part[1]), vmax(-b.part[2], -b.part[3]));
    }
    const vf high = largest_lanes(highs), minus_low = largest_lanes(lows);
    vf most = blend(high > minus_low, high, -minus_low);
    for (unsigned both = (unsigned)_mm256_movemask_ps((__m256)(high == minus_low)); both != 0; both &= both - 1) {
        const int r = __builtin_ctz(both);
        most[r] = first_of(load_block(in + r * stride, 0, type), high[r], -high[r]);
    }
    const vf d = (most + 0.0f) / -8; // a block of zeros, of whichever sign, has the d -0
    float inverse[LANES];
    store(inverse, inverses_of(d));
    _mm_storeu_si128((__m128i *)scales, _mm256_cvtps_ph((__m256)d, 0));

    __m256 pairs[LANES / 2]; // of two rows the dwords of steps 0 and 2, and behind them those of 1 and 3
    UNROLL for (int i = 0; i < LANES / 2; i++) {
        __m256i row[2];
        UNROLL for (int j = 0; j < 2; j++) {
            const block b = scaled(load_block(in + (2 * i + j) * stride, 0, type), inverse[2 * i + j]);
            __m256i q[PARTS];
            UNROLL for (int p = 0; p < PARTS; p++) {
                q[p] = _mm256_min_epi32((__m256i)truncated(b.part[p] + 8.5f), _mm256_set1_epi32(15));
            }
            row[j] = _mm256_packs_epi32(_mm256_or_si256(q[0], _mm256_slli_epi32(q[2], 4)),
                                        _mm256_or_si256(q[1], _mm256_slli_epi32(q[3], 4)));
        }
        pairs[i] = _mm256_castsi256_ps(_mm256_packus_epi16(row[0], row[1]));
    }
    __m256 v[4];
    UNROLL for (int i = 0; i < 2; i++) {
        __m256 fours[2];
        UNROLL for (int j = 0; j < 2; j++) {
            const __m256 a = pairs[2 * j], b = pairs[2 * j + 1];
            fours[j] = i == 0 ? _mm256_shuffle_ps(a, b, 0x88) : _mm256_shuffle_ps(a, b, 0xdd);
        }
        v[2 * i] = _mm256_permute2f128_ps(fours[0], fours[1], 0x20);
        v[2 * i + 1] = _mm256_permute2f128_ps(fours[0], fours[1], 0x31);
    }
    store_steps(quants, v, (const int[]){0, 1, 2, 3}, 4);
}

// quants and the scales of 16 rows, `stride` bytes apart.
#define PACK_ROWS_OF(suffix)                                                                                           \
    INLINE void pack_rows_##suffix(char *quants, char *scales, const char *in, int64_t stride, dtype type) {           \
        for (int r = 0; r < PANEL_ROWS; r += LANES) {                                                                  \
            pack_lanes_##suffix(quants + r * 4, scales + r * 2, in + r * stride, stride, type);                        \
        }                                                                                                              \
    }
PACK_ROWS_OF(q8_0)
PACK_ROWS_OF(q4_0)

#endif
