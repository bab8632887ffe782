// tile_weights.h: weights of every kind as tiles of bf16 (tiles.h), a few steps of one panel at a time.
#ifndef GEMMA_TILE_WEIGHTS_H
#define GEMMA_TILE_WEIGHTS_H

#include "tile_product.h"

// Bytes asked for ahead of the loads: of panels, and of each of 16 rows.
#define AHEAD 1024
#define ROW_AHEAD 128

// Bytes or halves of bytes as floats: put behind the bits of 256, they are 256 + value.
#define BASE_BITS 0x43800000
#define BASE 256.0f

// One block of a panel: columns 4 s to 4 s + 3 lie in the bytes of vector s; Q4_0's high halves are 16 columns further.
INLINE void block_tile(char *to, const char *scales, const char *quants, format f) {
    const uint32_t mask = (f == Q8_0 ? 255u : 15u) << 15;
    const int bits = f == Q8_0 ? 8 : 4;
    for (int lane = 0; lane < PANEL_ROWS; lane += LANES) {
        const vf scale = load_as(scales, lane, F16), zero = scale * -(BASE + (f == Q8_0 ? 128 : 8));
        for (int s = 0; s < quants_bytes(f) / (PANEL_ROWS * 4); s++) {
            vu bytes;
            memcpy(&bytes, quants + s * PANEL_ROWS * 4 + lane * 4, sizeof bytes);
            for (int half = 0; half < 8 / bits; half++) {
                vf value[4];
                UNROLL for (int i = 0; i < 4; i++) {
                    const int shift = 8 * i + bits * half;
                    vu placed =
                        shift > 15 ? bytes >> (shift > 15 ? shift - 15 : 0) : bytes << (shift > 15 ? 0 : 15 - shift);
                    value[i] = multiply_add((vf)((placed & mask) | BASE_BITS), scale, zero); // exact: 20 bits
                }
                const int pair = half * (TILE_COLS / 4) + 2 * s;
                store_pairs(to, pair, lane, pair_bf16(value[0], value[1]));
                store_pairs(to, pair + 1, lane, pair_bf16(value[2], value[3]));
            }
        }
    }
}

// Columns of a row in bf16.
INLINE void narrowed_row(uint16_t *to, const weight_matrix *m, int64_t row, int64_t from, int64_t cols) {
    if (m->kind == GEMMA_WEIGHTS_BF16) {
        memcpy(to, m->data + (row * m->stride + from) * 2, (size_t)cols * 2);
        return;
    }
    float wide[MOST_BLOCK];
    weight_row(wide, m, row, from, cols);
    narrow_row(to, wide, cols);
}

// The tiles of panel `panel` for `steps` steps from `step` on, `apart` bytes apart; a panel behind the last is zeros.
static void weight_tiles(char *to, int64_t apart, const weight_matrix *m, int64_t panel, int64_t step, int64_t steps,
                         uint16_t rows[PANEL_ROWS][MOST_BLOCK]) {
    const int64_t first = panel * PANEL_ROWS, left = m->n - first, end = step + steps;
    const int64_t count = left < PANEL_ROWS ? left : PANEL_ROWS;
    if (left <= 0) {
        for (int64_t i = 0; i < steps; i++) memset(to + i * apart, 0, TILE_BYTES);
        return;
    }
    if (m->kind == GEMMA_WEIGHTS_Q8_0 || m->kind == GEMMA_WEIGHTS_Q4_0) {
        const format f = m->kind == GEMMA_WEIGHTS_Q8_0 ? Q8_0 : Q4_0;
        const char *from = m->data + panel * panel_bytes(m->k, f);
        for (int64_t s = step; s < end; s++, to += apart) {
            for (int64_t i = 0; i < pair_bytes(f) / 2; i += 64) {
                __builtin_prefetch(from + scales_offset(s, f) + AHEAD + i);
            }
            if (f == Q8_0)
                block_tile(to, from + scales_offset(s, Q8_0), from + quants_offset(s, Q8_0), Q8_0);
            else
                block_tile(to, from + scales_offset(s, Q4_0), from + quants_offset(s, Q4_0), Q4_0);
        }
        return;
    }
    int64_t s = step;
    if (m->kind == GEMMA_WEIGHTS_BF16 && count == PANEL_ROWS) {
        for (; s < end && (s + 1) * TILE_COLS <= m->k; s++, to += apart) {
            const char *from = m->data + (first * m->stride + s * TILE_COLS) * 2;
            for (int64_t r = 0; r < PANEL_ROWS; r++) __builtin_prefetch(from + r * m->stride * 2 + ROW_AHEAD);
            rows_tile(to, from, m->stride * 2);
        }
    }
    while (s < end) {
        const int64_t from = s * TILE_COLS, stretch = end * TILE_COLS - from, width = m->k - from;
        const int64_t wide = stretch < MOST_BLOCK ? stretch : MOST_BLOCK, cols = wide < width ? wide : width;
        for (int64_t r = 0; r < PANEL_ROWS; r++) {
            if (r < count) narrowed_row(rows[r], m, first + r, from, cols);
            const int64_t filled = r < count ? cols : 0;
            memset(rows[r] + filled, 0, (size_t)(wide - filled) * 2);
        }
        for (int64_t i = 0; i * TILE_COLS < wide; i++, s++, to += apart) {
            rows_tile(to, (const char *)(rows[0] + i * TILE_COLS), sizeof rows[0]);
        }
    }
}

#endif
