// transpose.h: rows to columns and back, eight rows at a time.
#ifndef GEMMA_TRANSPOSE_H
#define GEMMA_TRANSPOSE_H

#include "simd.h"

#define TRANSPOSED 8 // rows

#if defined(__AVX2__)
INLINE void transpose_block(__m256 v[8]) {
    __m256 pairs[8], fours[8];
    UNROLL for (int i = 0; i < 8; i += 2) {
        pairs[i] = _mm256_unpacklo_ps(v[i], v[i + 1]);
        pairs[i + 1] = _mm256_unpackhi_ps(v[i], v[i + 1]);
    }
    UNROLL for (int i = 0; i < 8; i += 4) {
        UNROLL for (int j = 0; j < 2; j++) {
            fours[i + 2 * j] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0x44);
            fours[i + 2 * j + 1] = _mm256_shuffle_ps(pairs[i + j], pairs[i + j + 2], 0xee);
        }
    }
    UNROLL for (int i = 0; i < 4; i++) {
        v[i] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x20);
        v[i + 4] = _mm256_permute2f128_ps(fours[i], fours[i + 4], 0x31);
    }
}
#endif

// to[c * stride + r] = rows[r][c] for 8 rows.
INLINE void rows_to_columns(float *to, int64_t stride, const float *const rows[TRANSPOSED], int64_t cols) {
    int64_t c = 0;
#if defined(__AVX2__)
    for (; c + 8 <= cols; c += 8) {
        __m256 v[8];
        UNROLL for (int r = 0; r < 8; r++) v[r] = _mm256_loadu_ps(rows[r] + c);
        transpose_block(v);
        UNROLL for (int i = 0; i < 8; i++) _mm256_storeu_ps(to + (c + i) * stride, v[i]);
    }
#endif
    for (; c < cols; c++) {
        for (int r = 0; r < TRANSPOSED; r++) to[c * stride + r] = rows[r][c];
    }
}

// rows[r][c] = from[c * stride + r] * factors[r] for 8 rows.
INLINE void columns_to_rows(float *const rows[TRANSPOSED], const float *from, int64_t stride, const float *factors,
                            int64_t cols) {
    int64_t c = 0;
#if defined(__AVX2__)
    const __m256 factor = _mm256_loadu_ps(factors);
    for (; c + 8 <= cols; c += 8) {
        __m256 v[8];
        UNROLL for (int i = 0; i < 8; i++) v[i] = _mm256_mul_ps(_mm256_loadu_ps(from + (c + i) * stride), factor);
        transpose_block(v);
        UNROLL for (int r = 0; r < 8; r++) _mm256_storeu_ps(rows[r] + c, v[r]);
    }
#endif
    for (; c < cols; c++) {
        for (int r = 0; r < TRANSPOSED; r++) rows[r][c] = from[c * stride + r] * factors[r];
    }
}

#endif
