// tile_product.h: the product of a few tiles of rows and of weights (tiles.h), and rows as tiles.
#ifndef GEMMA_TILE_PRODUCT_H
#define GEMMA_TILE_PRODUCT_H

#include "narrow.h"
#include "tiles.h"

#if defined(__AMX_BF16__)
#include <immintrin.h>
#endif

// Sums of a tile of rows times a panel.
enum { SUMS = TILE_ROWS * PANEL_ROWS };

#if defined(__AMX_BF16__)

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes;

static void begin_tiles(void) {
    tile_shapes shapes = {.palette = 1};
    for (int i = 0; i < 8; i++) shapes.row_bytes[i] = 64, shapes.rows[i] = TILE_ROWS;
    _tile_loadconfig(&shapes);
}

static void end_tiles(void) { _tile_release(); }

// sums [group][panel] += rows x weights, over `steps` steps, for one group of rows or two; `first`: the sums are 0.
static __attribute__((noinline)) void multiply_tiles(float (*sums)[2][SUMS], const char *rows, int64_t group_bytes,
                                                     int groups, const char (*weights)[2][TILE_BYTES], int64_t steps,
                                                     int first) {
    if (first) {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    } else {
        _tile_loadd(0, sums[0][0], 64);
        _tile_loadd(1, sums[0][1], 64);
        if (groups == 2) {
            _tile_loadd(2, sums[1][0], 64);
            _tile_loadd(3, sums[1][1], 64);
        }
    }
    if (groups == 2) {
        for (int64_t s = 0; s < steps; s++, rows += TILE_BYTES) {
            _tile_stream_loadd(4, rows, 64);
            _tile_loadd(6, weights[s][0], 64);
            _tile_loadd(7, weights[s][1], 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_stream_loadd(5, rows + group_bytes, 64);
            _tile_dpbf16ps(1, 4, 7);
            _tile_dpbf16ps(2, 5, 6);
            _tile_dpbf16ps(3, 5, 7);
        }
        _tile_stored(2, sums[1][0], 64);
        _tile_stored(3, sums[1][1], 64);
    } else {
        for (int64_t s = 0; s < steps; s++, rows += TILE_BYTES) {
            _tile_stream_loadd(4, rows, 64);
            _tile_loadd(6, weights[s][0], 64);
            _tile_loadd(7, weights[s][1], 64);
            _tile_dpbf16ps(0, 4, 6);
            _tile_dpbf16ps(1, 4, 7);
        }
    }
    _tile_stored(0, sums[0][0], 64);
    _tile_stored(1, sums[0][1], 64);
}

#else

static void begin_tiles(void) {}

static void end_tiles(void) {}

INLINE float low_half(uint32_t pair) {
    uint32_t bits = pair << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

INLINE float high_half(uint32_t pair) { return low_half(pair >> 16); }

static void multiply_tile(float *sums, const char *rows, const char *weights) {
    for (int r = 0; r < TILE_ROWS; r++) {
        for (int p = 0; p < TILE_COLS / 2; p++) {
            uint32_t x;
            memcpy(&x, rows + r * 64 + p * 4, sizeof x);
            const float even = low_half(x), odd = high_half(x);
            for (int o = 0; o < PANEL_ROWS; o += LANES) {
                vu w;
                memcpy(&w, weights + p * 64 + o * 4, sizeof w);
                float *sum = sums + r * PANEL_ROWS + o;
                store(sum, load(sum) + (vf)(w << 16) * even + (vf)(w & 0xffff0000) * odd);
            }
        }
    }
}

static __attribute__((noinline)) void multiply_tiles(float (*sums)[2][SUMS], const char *rows, int64_t group_bytes,
                                                     int groups, const char (*weights)[2][TILE_BYTES], int64_t steps,
                                                     int first) {
    for (int g = 0; g < groups; g++) {
        for (int p = 0; p < 2; p++) {
            if (first) memset(sums[g][p], 0, sizeof sums[g][p]);
            for (int64_t s = 0; s < steps; s++) {
                multiply_tile(sums[g][p], rows + g * group_bytes + s * TILE_BYTES, weights[s][p]);
            }
        }
    }
}

#endif

// ---- operands as tiles ---------------------------------------------------------------------------------------------

// Pairs of bf16, the even column's in the low half.
INLINE vu pair_bf16(vf even, vf odd) {
#if defined(__AVX512BF16__)
    static const uint16_t order[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    __m512i both = (__m512i)_mm512_cvtne2ps_pbh((__m512)odd, (__m512)even);
    return (vu)_mm512_permutexvar_epi16(_mm512_loadu_si512(order), both);
#else
    return round_bf16(even) >> 16 | (round_bf16(odd) & 0xffff0000);
#endif
}

INLINE void store_pairs(char *to, int pair, int lane, vu v) { memcpy(to + pair * 64 + lane * 4, &v, sizeof v); }

// Sixteen rows of bf16, `stride` bytes apart, as a tile.
#if defined(__AVX512BF16__)
INLINE __m512i four_rows(const char *from, int64_t stride) {
    __m512i v = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)from));
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + 4 * stride)), 1);
    v = _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + 8 * stride)), 2);
    return _mm512_inserti32x4(v, _mm_loadu_si128((const __m128i *)(from + 12 * stride)), 3);
}

// Quarters of the rows r, r + 4, r + 8, r + 12 in one vector, then 4 x 4 within each.
INLINE void rows_tile(char *to, const char *rows, int64_t stride) {
    UNROLL for (int quarter = 0; quarter < 4; quarter++) {
        __m512i r0 = four_rows(rows + quarter * 16, stride), r1 = four_rows(rows + stride + quarter * 16, stride);
        __m512i r2 = four_rows(rows + 2 * stride + quarter * 16, stride);
        __m512i r3 = four_rows(rows + 3 * stride + quarter * 16, stride);
        __m512i low01 = _mm512_unpacklo_epi32(r0, r1), high01 = _mm512_unpackhi_epi32(r0, r1);
        __m512i low23 = _mm512_unpacklo_epi32(r2, r3), high23 = _mm512_unpackhi_epi32(r2, r3);
        char *at = to + quarter * 4 * 64;
        _mm512_storeu_si512(at, _mm512_unpacklo_epi64(low01, low23));
        _mm512_storeu_si512(at + 64, _mm512_unpackhi_epi64(low01, low23));
        _mm512_storeu_si512(at + 128, _mm512_unpacklo_epi64(high01, high23));
        _mm512_storeu_si512(at + 192, _mm512_unpackhi_epi64(high01, high23));
    }
}
#else
INLINE void rows_tile(char *to, const char *rows, int64_t stride) {
    for (int row = 0; row < PANEL_ROWS; row++) {
        for (int pair = 0; pair < TILE_COLS / 2; pair++)
            memcpy(to + pair * 64 + row * 4, rows + row * stride + pair * 4, 4);
    }
}
#endif

// Up to TILE_ROWS rows of up to TILE_COLS columns as a tile.
static inline void row_tile(char *to, const float *in, int64_t in_stride, int64_t rows, int64_t cols) {
    const int64_t n = cols < TILE_COLS ? cols : TILE_COLS, count = rows < TILE_ROWS ? rows : TILE_ROWS;
    if (n < TILE_COLS || count < TILE_ROWS) memset(to, 0, TILE_BYTES);
    for (int64_t r = 0; r < count; r++) narrow_row((uint16_t *)to + r * TILE_COLS, in + r * in_stride, n);
}

#endif
