// unpack: rows of a matrix in panels (panels.h) as f32, in order or gathered by id and scaled (embed)
//   out[r] = weight, exactly scale * value; embed rounds the product with its own scale once
#include "panels.h"
#include "team.h"

// `values` [STEPS][4] of one row of a block, out of bytes that stand 64 apart.
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

INLINE float scale_at(const char *scales) {
    vh bits = {0};
    memcpy(&bits, scales, 2);
    return widen_f16(bits)[0];
}

INLINE void unpack_row(float *out, const void *panels, int64_t row, int64_t cols, float factor, format f) {
    const char *panel = (const char *)panels + row / PANEL_ROWS * panel_bytes(cols, f);
    int64_t in_panel = row % PANEL_ROWS;
    for (int64_t b = 0; b < cols / BLOCK; b++) {
        float values[BLOCK], scale = scale_at(panel + scales_offset(b, f) + 2 * in_panel);
        row_values(values, panel + quants_offset(b, f) + 4 * in_panel, f);
        for (int64_t i = 0; i < BLOCK; i += LANES) {
            store(out + b * BLOCK + i, load(values + i) * scale * factor); // value * scale has 19 bits: exact
        }
    }
}

#define UNPACK_OF(suffix, f)                                                                                           \
    void TIER(gemma_unpack_##suffix)(float *out, int64_t out_stride, const void *panels, int64_t first, int64_t rows,  \
                                     int64_t cols) {                                                                   \
        TEAM_EACH(rows, rows *cols, r, unpack_row(out + r * out_stride, panels, first + r, cols, 1, f));               \
    }                                                                                                                  \
    void TIER(gemma_embed_##suffix)(float *out, int64_t out_stride, const void *panels, const int32_t *ids,            \
                                    int64_t rows, int64_t cols, float scale) {                                         \
        TEAM_EACH(rows, rows *cols, r, unpack_row(out + r * out_stride, panels, ids[r], cols, scale, f));              \
    }

UNPACK_OF(q8_0, Q8_0)
UNPACK_OF(q4_0, Q4_0)
