// attend_wide.h: the scratch of attend_wide, shared by its tiers and by gemma_attend_wide_scratch.
#ifndef GEMMA_ATTEND_WIDE_H
#define GEMMA_ATTEND_WIDE_H

#include <stdint.h>

#define ATTEND_KEYS 64    // keys that are scored at a time: they and their values, 128 KB of heads of 256, stay in L2
#define ATTEND_STRIPS 4   // strips of queries that take them in turns
#define ATTEND_QUERIES 32 // most queries of a strip, of any tier

// What does not depend on the heads: scores, and room for what is kept of each query.
#define ATTEND_FIXED_BYTES (ATTEND_KEYS * ATTEND_QUERIES * 4 + ATTEND_STRIPS * (ATTEND_QUERIES * 16 + 64) + 64)

// Of one thread.
static inline int64_t attend_wide_bytes(int64_t head_dim) {
    const int64_t floats = 2 * head_dim * (ATTEND_STRIPS * ATTEND_QUERIES + ATTEND_KEYS);
    return (ATTEND_FIXED_BYTES + floats * (int64_t)sizeof(float) + 63) / 64 * 64;
}

#endif
