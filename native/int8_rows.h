// int8_rows.h: rows of activations as int8 with a scale per group of 32 columns, as products with GGUF's own blocks
// take them. x is about scale * q; `low` and `high` are scale times the sum of q over the first and the last 16
// columns, for weights that are less than their quants by a minimum. A row is q, then the scales, then low, then high.
#ifndef GEMMA_INT8_ROWS_H
#define GEMMA_INT8_ROWS_H

#include <stdint.h>

#define GROUP 32 // columns

typedef struct {
    int8_t *q;                 // [cols]
    float *scale, *low, *high; // [cols / GROUP]
} int8_row;

static inline int64_t int8_row_bytes(int64_t cols) { return cols + 3 * (cols / GROUP) * (int64_t)sizeof(float); }

static inline int8_row int8_row_at(const void *rows, int64_t row, int64_t cols) {
    const int64_t groups = cols / GROUP;
    char *q = (char *)rows + row * int8_row_bytes(cols);
    float *scale = (float *)(q + cols);
    return (int8_row){(int8_t *)q, scale, scale + groups, scale + 2 * groups};
}

#endif
