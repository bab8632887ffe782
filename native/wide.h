// wide.h: operands of products in f32 whose vectors run along the rows of activations.
//
// Rows of activations are cut into strips of STRIP_VECTORS vectors, the last of as many as it needs. A strip is
// [cols][rows of the strip]: a column of it is one load, and a weight is one number for all its rows, whatever the
// order that weights are stored in. What is behind the last row is 0. Products come out as they went in, a strip
// [outputs][rows]: the next product can take them as they are.
#ifndef GEMMA_WIDE_H
#define GEMMA_WIDE_H

#include "weight_rows.h"

#define STRIP_VECTORS 2
#define STRIP_ROWS (STRIP_VECTORS * LANES)

// Columns that are multiplied at a time, and of them those whose strip, 16 KB, stays in the L1 cache.
#define PIECE MOST_BLOCK
#define INNER (4096 / STRIP_ROWS < PIECE ? 4096 / STRIP_ROWS : PIECE)

// Outputs that share a piece of the strips, and rows of activations that share their weights: a third of a megabyte of
// scratch and strips, which stays in the L2 cache.
#define MOST_OUTPUTS 96
#define SLICE_ROWS 128

// What one thread works in.
typedef struct {
    float weights[MOST_OUTPUTS][PIECE];
    float sums[SLICE_ROWS * MOST_OUTPUTS]; // [strip][output][rows of the strip]
} wide_scratch;

static inline int64_t strips_of(int64_t rows) { return (rows + STRIP_ROWS - 1) / STRIP_ROWS; }

// Vectors of strip s of `rows` rows.
static inline int64_t strip_vectors(int64_t s, int64_t rows) {
    const int64_t left = (rows - s * STRIP_ROWS + LANES - 1) / LANES;
    return left < STRIP_VECTORS ? left : STRIP_VECTORS;
}

#endif
