// embed: out[r] = scale * table[ids[r]]
//   table f32, bf16 or f16 [*, cols], gathered row by row; out f32 [rows, cols]; one rounding, of the product
#include "simd.h"
#include "team.h"

INLINE void scale_row(float *out, const void *in, int64_t cols, float scale, dtype type) {
    int64_t i = 0;
    for (; i + LANES <= cols; i += LANES) store(out + i, load_as(in, i, type) * scale);
    if (i < cols) store_part(out + i, load_part_as(in, i, cols - i, type) * scale, cols - i);
}

INLINE void embed(float *out, int64_t out_stride, const void *table, int64_t table_stride, const int32_t *ids,
                  int64_t rows, int64_t cols, float scale, dtype type) {
    const int64_t row_bytes = table_stride * bytes_of(type);
    TEAM_EACH(rows, rows * cols / 8, r,
              scale_row(out + r * out_stride, (const char *)table + ids[r] * row_bytes, cols, scale, type));
}

void TIER(gemma_embed_f32)(float *out, int64_t out_stride, const float *table, int64_t table_stride, const int32_t *ids,
                           int64_t rows, int64_t cols, float scale) {
    embed(out, out_stride, table, table_stride, ids, rows, cols, scale, F32);
}

void TIER(gemma_embed_bf16)(float *out, int64_t out_stride, const uint16_t *table, int64_t table_stride,
                            const int32_t *ids, int64_t rows, int64_t cols, float scale) {
    embed(out, out_stride, table, table_stride, ids, rows, cols, scale, BF16);
}

void TIER(gemma_embed_f16)(float *out, int64_t out_stride, const uint16_t *table, int64_t table_stride,
                           const int32_t *ids, int64_t rows, int64_t cols, float scale) {
    embed(out, out_stride, table, table_stride, ids, rows, cols, scale, F16);
}
