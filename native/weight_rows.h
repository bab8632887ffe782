// weight_rows.h: stretches of the rows of a matrix of weights as f32, whatever its kind.
#ifndef GEMMA_WEIGHT_ROWS_H
#define GEMMA_WEIGHT_ROWS_H

#include "gguf_blocks.h"
#include "panels.h"

// Every kind stores whole stretches of so many columns, from a multiple of it on.
#define MOST_BLOCK MAX_BLOCK

// A matrix [n, k] of weights; stride: elements from row to row where the kind has any.
typedef struct {
    const char *data;
    int32_t kind; // GEMMA_WEIGHTS_..
    int64_t stride, n, k;
} weight_matrix;

// ---- panels --------------------------------------------------------------------------------------------------------

// `values` [STEPS][4] of one row of a panel's block, out of bytes that stand 64 apart.
INLINE void row_values(float *values, const char *quants, format f) {
    for (int64_t i = 0; i < quants_bytes(f) / PANEL_ROWS; i++) {
        uint8_t byte = (uint8_t)quants[i / 4 * (PANEL_ROWS * 4) + i % 4];
        if (f == Q8_0) {
            values[i] = (float)(byte - 128);
        } else {
            values[i] = (float)((byte & 15) - 8);
            values[i + BLOCK / 2] = (float)((byte >> 4) - 8);
        }
    }
}

// Columns [from, from + cols) of row `row` times `factor`, of panels of a matrix of k columns. A value times its scale
// has 19 bits: exact.
INLINE void panel_row(float *out, const void *panels, int64_t row, int64_t k, int64_t from, int64_t cols, float factor,
                      format f) {
    const char *panel = (const char *)panels + row / PANEL_ROWS * panel_bytes(k, f);
    const int64_t in_panel = row % PANEL_ROWS;
    for (int64_t b = from / BLOCK; b * BLOCK < from + cols; b++, out += BLOCK) {
        float values[BLOCK];
        const float scale = half_at((const uint8_t *)panel + scales_offset(b, f) + 2 * in_panel);
        row_values(values, panel + quants_offset(b, f) + 4 * in_panel, f);
        for (int64_t i = 0; i < BLOCK; i += LANES) store(out + i, load(values + i) * scale * factor);
    }
}

// ---- every kind ----------------------------------------------------------------------------------------------------

// Columns [from, from + cols) of row `row`; of panels and blocks whole ones.
static inline void weight_row(float *out, const weight_matrix *m, int64_t row, int64_t from, int64_t cols) {
    if (m->kind == GEMMA_WEIGHTS_BF16) {
        widen_halves(out, (const uint16_t *)m->data + row * m->stride + from, cols, BF16);
    } else if (m->kind == GEMMA_WEIGHTS_F16) {
        widen_halves(out, (const uint16_t *)m->data + row * m->stride + from, cols, F16);
    } else if (m->kind == GEMMA_WEIGHTS_Q8_0) {
        panel_row(out, m->data, row, m->k, from, cols, 1, Q8_0);
    } else if (m->kind == GEMMA_WEIGHTS_Q4_0) {
        panel_row(out, m->data, row, m->k, from, cols, 1, Q4_0);
    } else {
        const block_type *type = &BLOCK_TYPES[m->kind - GEMMA_WEIGHTS_BLOCKS];
        block_row(out, (const uint8_t *)m->data + row * block_row_bytes(type, m->k) + block_row_bytes(type, from), type,
                  cols);
    }
}

// Where rows lie: row r's columns from c on begin about `column` bytes per LINE_COLUMNS behind first + r * row. Enough
// to ask for them ahead.
#define LINE_COLUMNS 16
typedef struct {
    const char *first;
    int64_t row, column;
} weight_place;

static inline weight_place place_of(const weight_matrix *m, int64_t row, int64_t from) {
    int64_t row_bytes, line_bytes, begin;
    if (m->kind == GEMMA_WEIGHTS_Q8_0 || m->kind == GEMMA_WEIGHTS_Q4_0) {
        const format f = m->kind == GEMMA_WEIGHTS_Q8_0 ? Q8_0 : Q4_0; // PANEL_ROWS rows side by side
        line_bytes = pair_bytes(f) / 2 / (BLOCK / LINE_COLUMNS) / PANEL_ROWS;
        row_bytes = panel_bytes(m->k, f) / PANEL_ROWS;
        begin = scales_offset(from / BLOCK, f) / PANEL_ROWS;
    } else if (m->kind >= GEMMA_WEIGHTS_BLOCKS) {
        const block_type *type = &BLOCK_TYPES[m->kind - GEMMA_WEIGHTS_BLOCKS];
        line_bytes = type->bytes * LINE_COLUMNS / type->cols;
        row_bytes = block_row_bytes(type, m->k);
        begin = block_row_bytes(type, from);
    } else {
        line_bytes = 2 * LINE_COLUMNS;
        row_bytes = 2 * m->stride;
        begin = 2 * from;
    }
    return (weight_place){m->data + row * row_bytes + begin, row_bytes, line_bytes};
}

#endif
