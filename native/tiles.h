// tiles.h: operands of products by bf16 tiles, as the matrix instructions (AMX) of a CPU take them.
//
// A tile holds TILE_ROWS rows of TILE_COLS columns: 1 KB. Rows of activations are cut into groups of TILE_ROWS, a group
// into tiles, one behind the other: [group][step][TILE_ROWS][TILE_COLS]; what is behind the last row or column is 0.
// A tile of weights has the same columns of PANEL_ROWS rows of the matrix, two columns of each side by side:
// [TILE_COLS / 2][PANEL_ROWS][2].
#ifndef GEMMA_TILES_H
#define GEMMA_TILES_H

#include "weight_rows.h"

#define TILE_ROWS 16
#define TILE_COLS 32
#define TILE_BYTES (TILE_ROWS * TILE_COLS * 2)

static inline int64_t tile_steps(int64_t cols) { return (cols + TILE_COLS - 1) / TILE_COLS; }

static inline int64_t tile_groups(int64_t rows) { return (rows + TILE_ROWS - 1) / TILE_ROWS; }

// Steps that one pass over the rows multiplies: the tiles of two panels, 36 KB, stay in the first-level cache beside
// the rows' that stream past them. Measured from 8 to 36.
#define MOST_STEPS 18
#define WHOLE_STEPS (MOST_STEPS * TILE_COLS / MOST_BLOCK * MOST_BLOCK / TILE_COLS) // of whole GGUF blocks

// Rows that are multiplied by a pair of panels before the next pair, so that their sums stay in the L2 cache.
#define SLICE_GROUPS 32

// Pairs of panels that one pass over the slice's tiles serves.
#define MOST_PAIRS 6

// What one thread works in.
typedef struct {
    char weights[MOST_STEPS][2][TILE_BYTES];
    float sums[MOST_PAIRS][SLICE_GROUPS][2][TILE_ROWS * PANEL_ROWS]; // [row group][panel of the pair]
    uint16_t rows[PANEL_ROWS][MOST_BLOCK];                           // of weights, before they become tiles
} tiles_scratch;

// Attention: positions whose keys and values are tiles at a time, and the widest head.
#define ATTEND_TILE_KEYS 1024
#define MOST_HEAD_DIM GEMMA_MAX_HEAD_DIM

// What one thread works in for a block of two groups of queries.
typedef struct {
    char queries[2 * MOST_HEAD_DIM / TILE_COLS * TILE_BYTES];
    char probabilities[2 * ATTEND_TILE_KEYS / TILE_COLS * TILE_BYTES];
    float scores[2 * TILE_ROWS][ATTEND_TILE_KEYS];
    float sums[2][2][TILE_ROWS * PANEL_ROWS];
} attend_scratch;

#endif
