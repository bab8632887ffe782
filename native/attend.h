// attend.h: the layout of attend's scratch, shared by its tiers and by gemma_attend_scratch.
#ifndef GEMMA_ATTEND_H
#define GEMMA_ATTEND_H

#include <stdint.h>

// One head over one range of slots: its running maximum, its running sum, then the weighted values not yet divided by
// the sum.
typedef struct {
    float max, sum;
    float values[]; // head_dim
} partial;

static inline int64_t partial_floats(int64_t head_dim) { return head_dim + (int64_t)(sizeof(partial) / sizeof(float)); }

#endif
