// unpack: rows of a matrix in panels (panels.h) as f32, in order or gathered by id and scaled (embed)
//   out[r] = weight, exactly scale * value; embed rounds the product with its own scale once
#include "team.h"
#include "weight_rows.h"

INLINE void whole_row(float *out, const void *panels, int64_t row, int64_t cols, float factor, format f) {
    panel_row(out, panels, row, cols, 0, cols, factor, f);
}

#define UNPACK_OF(suffix, f)                                                                                           \
    void TIER(gemma_unpack_##suffix)(float *out, int64_t out_stride, const void *panels, int64_t first, int64_t rows,  \
                                     int64_t cols) {                                                                   \
        TEAM_EACH(rows, rows *cols, r, whole_row(out + r * out_stride, panels, first + r, cols, 1, f));                \
    }                                                                                                                  \
    void TIER(gemma_embed_##suffix)(float *out, int64_t out_stride, const void *panels, const int32_t *ids,            \
                                    int64_t rows, int64_t cols, float scale) {                                         \
        TEAM_EACH(rows, rows *cols, r, whole_row(out + r * out_stride, panels, ids[r], cols, scale, f));               \
    }

UNPACK_OF(q8_0, Q8_0)
UNPACK_OF(q4_0, Q4_0)
