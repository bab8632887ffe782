// pack_avx512.h: one block of all rows of a full panel at once, in vectors of one value per row. Included by pack.c
// alone, which has the definitions of the formats and what runs elsewhere.
#ifndef GEMMA_PACK_AVX512_H
#define GEMMA_PACK_AVX512_H

#include "blocks.h"

// Lane r = the largest lane of v[r]: halves of two, four, eight and sixteen vectors are laid side by side and compared.
INLINE __m512 largest_lanes(const __m512 *v) {
    __m512 fours[4], eights[2];
    UNROLL for (int i = 0; i < 4; i++) {
        const __m512 *a = v + 4 * i;
        __m512 low = _mm512_max_ps(_mm512_unpacklo_ps(a[0], a[1]), _mm512_unpackhi_ps(a[0], a[1]));
        __m512 high = _mm512_max_ps(_mm512_unpacklo_ps(a[2], a[3]), _mm512_unpackhi_ps(a[2], a[3]));
        __m512d l = _mm512_castps_pd(low), h = _mm512_castps_pd(high);
        fours[i] =
            _mm512_max_ps(_mm512_castpd_ps(_mm512_unpacklo_pd(l, h)), _mm512_castpd_ps(_mm512_unpackhi_pd(l, h)));
    }
    UNROLL for (int i = 0; i < 2; i++) {
        __m512 a = fours[2 * i], b = fours[2 * i + 1];
        eights[i] = _mm512_max_ps(_mm512_shuffle_f32x4(a, b, 0x88), _mm512_shuffle_f32x4(a, b, 0xdd));
    }
    return _mm512_max_ps(_mm512_shuffle_f32x4(eights[0], eights[1], 0x88),
                         _mm512_shuffle_f32x4(eights[0], eights[1], 0xdd));
}

// quarter[q] has in its 128 bits l the dwords of step l for the rows 4 q to 4 q + 3: step after step to out.
INLINE void store_steps(char *out, const __m512i *quarter) {
    __m512i even[2], odd[2]; // [rows of quarters 0 and 1, of 2 and 3]: steps 0 and 2, steps 1 and 3
    UNROLL for (int i = 0; i < 2; i++) {
        even[i] = _mm512_shuffle_i32x4(quarter[2 * i], quarter[2 * i + 1], 0x88);
        odd[i] = _mm512_shuffle_i32x4(quarter[2 * i], quarter[2 * i + 1], 0xdd);
    }
    _mm512_storeu_si512(out, _mm512_shuffle_i32x4(even[0], even[1], 0x88));
    _mm512_storeu_si512(out + 64, _mm512_shuffle_i32x4(odd[0], odd[1], 0x88));
    _mm512_storeu_si512(out + 128, _mm512_shuffle_i32x4(even[0], even[1], 0xdd));
    _mm512_storeu_si512(out + 192, _mm512_shuffle_i32x4(odd[0], odd[1], 0xdd));
}

INLINE __m512 inverses_of(__m512 d) {
    __m512 inverse = _mm512_div_ps(_mm512_set1_ps(1), d);
    // 0 where d is 0 or 1 / d is not finite: classes NaN, +0, -0, +inf, -inf do not pass
    return _mm512_maskz_mov_ps((__mmask16)~_mm512_fpclass_ps_mask(inverse, 0x99), inverse);
}

// A block of row r as its two halves of 16 columns.
INLINE block row_block(const char *in, int64_t stride, int r, dtype type) {
    return load_block(in + r * stride, 0, type);
}

// quants and the scales of 16 rows, `stride` bytes apart.
INLINE void pack_rows_q8_0(char *quants, char *scales, const char *in, int64_t stride, dtype type) {
    __m512 most[PANEL_ROWS];
    UNROLL for (int r = 0; r < PANEL_ROWS; r++) {
        block b = row_block(in, stride, r, type);
        most[r] = _mm512_max_ps((__m512)magnitude(b.part[0]), (__m512)magnitude(b.part[1]));
    }
    __m512 d = _mm512_div_ps(largest_lanes(most), _mm512_set1_ps(127));
    float inverse[PANEL_ROWS];
    _mm512_storeu_ps(inverse, inverses_of(d));
    _mm256_storeu_si256((__m256i *)scales, _mm512_cvtps_ph(d, 0));

    __m512i low[4], high[4]; // columns 0 to 15, 16 to 31
    UNROLL for (int q = 0; q < 4; q++) {
        __m512i
            pair[2]; // two rows: 128 bits have 4 columns of the low and of the high half of one row, then of the other
        UNROLL for (int i = 0; i < 2; i++) {
            const int r = 4 * q + 2 * i;
            block a = scaled(row_block(in, stride, r, type), inverse[r]);
            block b = scaled(row_block(in, stride, r + 1, type), inverse[r + 1]);
            pair[i] = _mm512_packs_epi16(_mm512_packs_epi32((__m512i)away(a.part[0]), (__m512i)away(a.part[1])),
                                         _mm512_packs_epi32((__m512i)away(b.part[0]), (__m512i)away(b.part[1])));
            pair[i] = _mm512_xor_si512(pair[i], _mm512_set1_epi8((char)0x80)); // value + 128
        }
        __m512 p = _mm512_castsi512_ps(pair[0]), n = _mm512_castsi512_ps(pair[1]);
        low[q] = _mm512_castps_si512(_mm512_shuffle_ps(p, n, 0x88));
        high[q] = _mm512_castps_si512(_mm512_shuffle_ps(p, n, 0xdd));
    }
    store_steps(quants, low);
    store_steps(quants + 256, high);
}

// +-most, whichever comes first in a block that has both.
INLINE float first_sign(block b, float most) {
    unsigned positive = 0, negative = 0;
    UNROLL for (int p = 0; p < PARTS; p++) {
        positive |= (unsigned)_mm512_cmpeq_ps_mask((__m512)b.part[p], _mm512_set1_ps(most)) << p * LANES;
        negative |= (unsigned)_mm512_cmpeq_ps_mask((__m512)b.part[p], _mm512_set1_ps(-most)) << p * LANES;
    }
    return (positive & -positive) <= (negative & -negative) ? most : -most; // a block of zeros counts as positive
}

INLINE void pack_rows_q4_0(char *quants, char *scales, const char *in, int64_t stride, dtype type) {
    __m512 highs[PANEL_ROWS], lows[PANEL_ROWS];
    UNROLL for (int r = 0; r < PANEL_ROWS; r++) {
        block b = row_block(in, stride, r, type);
        highs[r] = _mm512_max_ps((__m512)b.part[0], (__m512)b.part[1]);
        lows[r] = (__m512)(-(vf)_mm512_min_ps((__m512)b.part[0], (__m512)b.part[1]));
    }
    vf high = (vf)largest_lanes(highs), minus_low = (vf)largest_lanes(lows),
       most = blend(high > minus_low, high, -minus_low);
    for (unsigned both = _mm512_cmpeq_ps_mask((__m512)high, (__m512)minus_low); both != 0; both &= both - 1) {
        const int r = __builtin_ctz(both);
        most[r] = first_sign(row_block(in, stride, r, type), fabsf(high[r]));
    }
    __m512 d = (__m512)(most / -8);
    float inverse[PANEL_ROWS];
    _mm512_storeu_ps(inverse, inverses_of(d));
    _mm256_storeu_si256((__m256i *)scales, _mm512_cvtps_ph(d, 0));

    __m512i quarter[4];
    UNROLL for (int q = 0; q < 4; q++) {
        __m512i row[4];
        UNROLL for (int i = 0; i < 4; i++) {
            block b = scaled(row_block(in, stride, 4 * q + i, type), inverse[4 * q + i]);
            __m512i half[2];
            UNROLL for (int p = 0; p < 2; p++) {
                half[p] = _mm512_min_epi32((__m512i)truncated(b.part[p] + 8.5f), _mm512_set1_epi32(15));
            }
            row[i] = _mm512_or_si512(half[0], _mm512_slli_epi32(half[1], 4));
        }
        quarter[q] = _mm512_packus_epi16(_mm512_packs_epi32(row[0], row[1]), _mm512_packs_epi32(row[2], row[3]));
    }
    store_steps(quants, quarter);
}

#endif
