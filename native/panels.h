// panels.h: how block-quantized weights and activations lie in memory.
//
// A matrix of weights [rows, cols] is cut into panels of PANEL_ROWS rows. A panel goes through the columns two blocks
// of BLOCK columns at a time:
//   scales     f16 [2][16]                 one per block and row
//   quants     two blocks of [8][16][4]    VNNI order: 64 bytes hold 4 columns of each of 16 rows
// so that a product reads one stream of whole cache lines. An odd last block leaves its partner's scales unused and has
// no second quants. Rows behind the last are zeros. A weight is scale * value; a block's bytes are
//   Q8_0  [8][16][4]  value + 128
//   Q4_0  [4][16][4]  value + 8, of column c in the low half and of column c + 16 in the high half, as in GGUF's blocks
#ifndef GEMMA_PANELS_H
#define GEMMA_PANELS_H

#include "simd.h"

#define PANEL_ROWS 16
#define BLOCK 32
#define STEPS 8 // groups of 4 columns in a block

typedef enum { Q8_0, Q4_0 } format;

static inline int64_t quants_bytes(format f) { return f == Q8_0 ? PANEL_ROWS * BLOCK : PANEL_ROWS * BLOCK / 2; }

static inline int64_t pair_bytes(format f) { return 2 * PANEL_ROWS * 2 + 2 * quants_bytes(f); }

static inline int64_t panel_bytes(int64_t cols, format f) {
    int64_t blocks = cols / BLOCK;
    return (blocks + 1) / 2 * (2 * PANEL_ROWS * 2) + blocks * quants_bytes(f);
}

static inline int64_t scales_offset(int64_t block, format f) {
    return block / 2 * pair_bytes(f) + block % 2 * PANEL_ROWS * 2;
}

static inline int64_t quants_offset(int64_t block, format f) {
    return block / 2 * pair_bytes(f) + 2 * PANEL_ROWS * 2 + block % 2 * quants_bytes(f);
}

// A sum of products starts at the bits of 1.5 * 2^23, so that as a float it is this number plus the sum: no conversion
// is needed. The sum is within 2^22: at most 32 * 128 * 127.
#define SUM_BITS 0x4b400000
#define SUM_BASE 0x1.8p23f

// One block of one row of activations: x is about scale * q, -127 <= q <= 127. The weights' bytes are 128 too large
// (Q4_0's, when they stand in the high half of a byte, 16 * 8 = 128 as well), so `start` is SUM_BITS - 128 * the sum of
// q. Where bytes are multiplied in 16 bits, Q8_0 takes q as the pairs of every second column that its bytes fall into:
// wide[4 s] to wide[4 s + 3] are columns 4 s, 4 s + 2, 4 s + 1, 4 s + 3.
typedef struct {
    float scale;
    int32_t start;
    union {
        int8_t q[BLOCK];
        int16_t wide[BLOCK];
    };
} activation;

// Whether this tier multiplies bytes in 16 bits.
#if defined(__AVX2__) && !defined(__AVXVNNI__) && !defined(__AVX512VNNI__)
enum { MULTIPLIES_WIDE = 1 };
#else
enum { MULTIPLIES_WIDE = 0 };
#endif

static inline int is_wide(format f) { return MULTIPLIES_WIDE && f == Q8_0; }

// Activations stand this far apart, on this tier.
static inline int64_t activation_bytes(format f) {
    return (int64_t)(is_wide(f) ? sizeof(activation) : offsetof(activation, q) + BLOCK);
}

static inline activation *activation_at(const void *x, int64_t i, format f) {
    return (activation *)((char *)x + i * activation_bytes(f));
}

// Rows of activations come in groups of ROW_GROUP, the last as large as what is left; within a group, block after
// block, the rows' activations of a block lie side by side.
#define ROW_GROUP 16

static inline int64_t group_rows(int64_t row, int64_t rows) {
    int64_t left = rows - row / ROW_GROUP * ROW_GROUP;
    return left < ROW_GROUP ? left : ROW_GROUP;
}

// Where row `row` begins; its next block is group_rows further on.
static inline int64_t activation_index(int64_t row, int64_t blocks) {
    int64_t in_group = row % ROW_GROUP;
    return (row - in_group) * blocks + in_group;
}

#endif
