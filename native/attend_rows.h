// attend_rows.h: what attention of many queries of one sequence takes.
#ifndef GEMMA_ATTEND_ROWS_H
#define GEMMA_ATTEND_ROWS_H

#include "simd.h"

// As gemma_attend_wide and gemma_attend_tiles say.
typedef struct {
    float *out;
    const float *q;
    const char *k, *v;
    dtype type; // of k and v
    int64_t out_row, out_head, q_row, q_head, kv_row, kv_head;
    int64_t heads, kv_heads, head_dim, rows, slots, first_slot, count;
    const int32_t *begin, *end;
    float cap;
} row_attention;

// Elements from the beginning of k or v to the slot of `key`, counted from the first slot.
static inline int64_t slot_of(const row_attention *a, int64_t kv_head, int64_t key) {
    return kv_head * a->kv_head + (a->first_slot + key) % a->slots * a->kv_row;
}

#endif
