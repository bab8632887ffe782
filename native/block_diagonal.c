// block_diagonal: out[r, b n + j] = bias[b n + j] + sum_i x[r, b k + i] * w[b, i, j]
//   x f32 [rows, blocks * k], w f32, bf16 or f16 [blocks, k, n] without gaps, out f32 [rows, blocks * n]
#include "simd.h"
#include "team.h"

#define TILE_ROWS 4
#define TILE_VECTORS (LANES == 16 ? 4 : 2) // TILE_ROWS times as many sums, and as many weights, stay in registers

// `rows` by `vectors` sums; both are constants where this is inlined. left: columns, fewer than a vector; 0: all.
INLINE void tile(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w, int64_t column,
                 const float *bias, int64_t n, int64_t k, const int rows, const int vectors, int64_t left, dtype type) {
    vf sums[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            sums[r][v] = left ? load_part(bias + column, left) : load(bias + column + v * LANES);
        }
    }
    for (int64_t i = 0; i < k; i++) {
        vf weights[TILE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) {
            const int64_t at = i * n + column + v * LANES;
            weights[v] = left ? load_part_as(w, at, left, type) : load_as(w, at, type);
        }
        UNROLL for (int r = 0; r < rows; r++) {
            const vf value = splat(x[r * x_stride + i]);
            UNROLL for (int v = 0; v < vectors; v++) sums[r][v] = multiply_add(value, weights[v], sums[r][v]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            float *to = out + r * out_stride + column + v * LANES;
            if (left)
                store_part(to, sums[r][v], left);
            else
                store(to, sums[r][v]);
        }
    }
}

// `vectors` vectors of columns, or the `left` ones of a part of one, of all rows
INLINE void columns(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w, int64_t column,
                    const float *bias, int64_t rows, int64_t n, int64_t k, const int vectors, int64_t left,
                    dtype type) {
    int64_t r = 0;
    for (; r + TILE_ROWS <= rows; r += TILE_ROWS) {
        tile(out + r * out_stride, out_stride, x + r * x_stride, x_stride, w, column, bias, n, k, TILE_ROWS, vectors,
             left, type);
    }
    for (; r < rows; r++) {
        tile(out + r * out_stride, out_stride, x + r * x_stride, x_stride, w, column, bias, n, k, 1, vectors, left,
             type);
    }
}

// The columns [begin, end) of one block
INLINE void part(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w, int64_t begin,
                 int64_t end, const float *bias, int64_t rows, int64_t n, int64_t k, dtype type) {
    int64_t j = begin;
    for (; j + TILE_VECTORS * LANES <= end; j += TILE_VECTORS * LANES) {
        columns(out, out_stride, x, x_stride, w, j, bias, rows, n, k, TILE_VECTORS, 0, type);
    }
    for (; j + LANES <= end; j += LANES) columns(out, out_stride, x, x_stride, w, j, bias, rows, n, k, 1, 0, type);
    if (j < end) columns(out, out_stride, x, x_stride, w, j, bias, rows, n, k, 1, end - j, type);
}

INLINE void block_diagonal(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w,
                           const float *bias, int64_t rows, int64_t blocks, int64_t n, int64_t k, dtype type) {
    const int64_t grain = TILE_VECTORS * LANES, parts = (n + grain - 1) / grain;
    const int64_t tasks = blocks * parts, work = rows * blocks * n * k / 32;
    TEAM_EACH(tasks, work, task, int64_t b = task / parts; int64_t j = task % parts * grain;
              int64_t end = j + grain < n ? j + grain : n;
              part(out + b * n, out_stride, x + b * k, x_stride, (const char *)w + b * k * n * bytes_of(type), j, end,
                   bias + b * n, rows, n, k, type));
}

void TIER(gemma_block_diagonal_f32)(float *out, int64_t out_stride, const float *x, int64_t x_stride, const float *w,
                                    const float *bias, int64_t rows, int64_t blocks, int64_t n, int64_t k) {
    block_diagonal(out, out_stride, x, x_stride, w, bias, rows, blocks, n, k, F32);
}

void TIER(gemma_block_diagonal_bf16)(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                     const uint16_t *w, const float *bias, int64_t rows, int64_t blocks, int64_t n,
                                     int64_t k) {
    block_diagonal(out, out_stride, x, x_stride, w, bias, rows, blocks, n, k, BF16);
}

void TIER(gemma_block_diagonal_f16)(float *out, int64_t out_stride, const float *x, int64_t x_stride, const uint16_t *w,
                                    const float *bias, int64_t rows, int64_t blocks, int64_t n, int64_t k) {
    block_diagonal(out, out_stride, x, x_stride, w, bias, rows, blocks, n, k, F16);
}
