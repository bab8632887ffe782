// kernel_list.h: every kernel that has one copy per ISA tier, as KERNEL(name, (parameters), (arguments)). dispatch.c
// makes of it the tiers' prototypes, the table that holds one tier, and the exported functions that call through it;
// gemma_kernels.h documents and checks the same signatures. The lines that repeat per weight type go through one macro
// each.
// VNNI_KERNEL: the kernels that have other copies where the CPU has VNNI; where it is not defined they are like the
// rest.
#ifndef VNNI_KERNEL
#define VNNI_KERNEL KERNEL
#endif
// TILE_KERNEL: the same for the kernels that have other copies where the CPU has matrix instructions.
#ifndef TILE_KERNEL
#define TILE_KERNEL KERNEL
#endif

#define EMBED(name, T)                                                                                                 \
    KERNEL(name,                                                                                                       \
           (float *out, int64_t out_stride, const T *table, int64_t table_stride, const int32_t *ids, int64_t rows,    \
            int64_t cols, float scale),                                                                                \
           (out, out_stride, table, table_stride, ids, rows, cols, scale))
#define GEMV(name, T)                                                                                                  \
    KERNEL(name,                                                                                                       \
           (float *out, int64_t out_stride, const float *x, int64_t x_stride, const T *w, int64_t w_stride,            \
            int64_t rows, int64_t n, int64_t k),                                                                       \
           (out, out_stride, x, x_stride, w, w_stride, rows, n, k))
#define GEMV_GROUP(name, T)                                                                                            \
    KERNEL(name,                                                                                                       \
           (float *out, int64_t out_stride, const float *x, int64_t x_stride, const T *const *w, const int64_t *n,     \
            int64_t count, int64_t w_stride, int64_t rows, int64_t k),                                                 \
           (out, out_stride, x, x_stride, w, n, count, w_stride, rows, k))
#define GEMV_GEGLU(name, T)                                                                                            \
    KERNEL(name,                                                                                                       \
           (float *out, int64_t out_stride, const float *x, int64_t x_stride, const T *gate, const T *up,              \
            int64_t w_stride, int64_t rows, int64_t n, int64_t k),                                                     \
           (out, out_stride, x, x_stride, gate, up, w_stride, rows, n, k))
#define ATTEND_ROWS(kernel, name)                                                                                      \
    kernel(name,                                                                                                       \
           (float *out, int64_t out_row, int64_t out_head, const float *q, int64_t q_row, int64_t q_head,              \
            const void *k, const void *v, int32_t kv_type, int64_t kv_row, int64_t kv_head, int64_t heads,             \
            int64_t kv_heads, int64_t head_dim, int64_t rows, int64_t slots, int64_t first_slot, int64_t count,        \
            const int32_t *begin, const int32_t *end, float softcap, void *scratch),                                   \
           (out, out_row, out_head, q, q_row, q_head, k, v, kv_type, kv_row, kv_head, heads, kv_heads, head_dim, rows, \
            slots, first_slot, count, begin, end, softcap, scratch))
#define WIDEN(name)                                                                                                    \
    KERNEL(name, (float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows, int64_t cols),  \
           (out, out_stride, in, in_stride, rows, cols))
#define PACK(name, T)                                                                                                  \
    KERNEL(name, (void *out, const T *in, int64_t in_stride, int64_t rows, int64_t cols),                              \
           (out, in, in_stride, rows, cols))
#define BLOCK_DIAGONAL(name, T)                                                                                        \
    KERNEL(name,                                                                                                       \
           (float *out, int64_t out_stride, const float *x, int64_t x_stride, const T *w, const float *bias,           \
            int64_t rows, int64_t blocks, int64_t n, int64_t k),                                                       \
           (out, out_stride, x, x_stride, w, bias, rows, blocks, n, k))
#define QUANTIZED(format)                                                                                              \
    PACK(gemma_pack_##format##_f32, float)                                                                             \
    PACK(gemma_pack_##format##_bf16, uint16_t)                                                                         \
    PACK(gemma_pack_##format##_f16, uint16_t)                                                                          \
    KERNEL(gemma_pack_##format##_blocks, (void *out, const void *blocks, int64_t rows, int64_t cols),                  \
           (out, blocks, rows, cols))                                                                                  \
    PACK(gemma_quantize_blocks_##format, float)                                                                        \
    KERNEL(gemma_unpack_##format,                                                                                      \
           (float *out, int64_t out_stride, const void *panels, int64_t first, int64_t rows, int64_t cols),            \
           (out, out_stride, panels, first, rows, cols))                                                               \
    KERNEL(gemma_embed_##format,                                                                                       \
           (float *out, int64_t out_stride, const void *panels, const int32_t *ids, int64_t rows, int64_t cols,        \
            float scale),                                                                                              \
           (out, out_stride, panels, ids, rows, cols, scale))                                                          \
    VNNI_KERNEL(gemma_quantize_rows_##format,                                                                          \
                (void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols),                           \
                (out, in, in_stride, rows, cols))                                                                      \
    VNNI_KERNEL(gemma_matmul_##format,                                                                                 \
                (float *out, int64_t out_stride, const void *x, const void *w, int64_t rows, int64_t n, int64_t k),    \
                (out, out_stride, x, w, rows, n, k))                                                                   \
    VNNI_KERNEL(gemma_matmul_group_##format,                                                                           \
                (float *out, int64_t out_stride, const void *x, const void *const *w, const int64_t *n, int64_t count, \
                 int64_t rows, int64_t k),                                                                             \
                (out, out_stride, x, w, n, count, rows, k))                                                            \
    VNNI_KERNEL(gemma_matmul_geglu_##format,                                                                           \
                (float *out, int64_t out_stride, const void *x, const void *gate, const void *up, int64_t rows,        \
                 int64_t n, int64_t k),                                                                                \
                (out, out_stride, x, gate, up, rows, n, k))

EMBED(gemma_embed_f32, float)
EMBED(gemma_embed_bf16, uint16_t)
EMBED(gemma_embed_f16, uint16_t)
KERNEL(gemma_rms_norm_f32,
       (float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight, int64_t rows,
        int64_t cols, float eps),
       (out, out_stride, in, in_stride, weight, rows, cols, eps))
KERNEL(gemma_rms_norm_add_f32,
       (float *residual, int64_t residual_stride, const float *in, int64_t in_stride, const float *weight, int64_t rows,
        int64_t cols, float eps),
       (residual, residual_stride, in, in_stride, weight, rows, cols, eps))
KERNEL(gemma_add_f32, (float *out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows, int64_t cols),
       (out, out_stride, in, in_stride, rows, cols))
KERNEL(gemma_scale_f32, (float *x, int64_t x_stride, float factor, int64_t rows, int64_t cols),
       (x, x_stride, factor, rows, cols))
KERNEL(gemma_add_scaled_rows_f32,
       (float *out, int64_t out_stride, const float *in, int64_t in_stride, const int32_t *ids, const float *factors,
        int64_t rows, int64_t cols),
       (out, out_stride, in, in_stride, ids, factors, rows, cols))
KERNEL(gemma_multiply_f32,
       (float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight, int64_t rows,
        int64_t cols),
       (out, out_stride, in, in_stride, weight, rows, cols))
KERNEL(gemma_match_magnitude_f32,
       (float *x, int64_t x_stride, const float *like, int64_t like_stride, int64_t rows, int64_t cols),
       (x, x_stride, like, like_stride, rows, cols))
KERNEL(gemma_sparsify_f32, (float *x, int64_t x_stride, float deviations, int64_t rows, int64_t cols),
       (x, x_stride, deviations, rows, cols))
KERNEL(gemma_layer_norm_f32,
       (float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *weight, const float *bias,
        int64_t rows, int64_t cols, float eps),
       (out, out_stride, in, in_stride, weight, bias, rows, cols, eps))
KERNEL(gemma_add_bias_f32, (float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols),
       (x, x_stride, bias, rows, cols))
KERNEL(gemma_bias_gelu_f32, (float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols),
       (x, x_stride, bias, rows, cols))
KERNEL(gemma_head_norm_rope,
       (void *out, int32_t out_type, int64_t out_row, int64_t out_row_stride, int64_t out_head_stride, const float *in,
        int64_t in_row, int64_t in_row_stride, int64_t in_head_stride, const float *weight, float eps,
        const float *cos, const float *sin, int64_t rope_dims, float scale, int64_t rows, int64_t heads,
        int64_t head_dim),
       (out, out_type, out_row, out_row_stride, out_head_stride, in, in_row, in_row_stride, in_head_stride, weight, eps,
        cos, sin, rope_dims, scale, rows, heads, head_dim))
KERNEL(gemma_geglu_f32,
       (float *out, int64_t out_stride, const float *gate, int64_t gate_stride, const float *up, int64_t up_stride,
        int64_t rows, int64_t cols),
       (out, out_stride, gate, gate_stride, up, up_stride, rows, cols))
GEMV(gemma_gemv_f32, float)
GEMV(gemma_gemv_bf16, uint16_t)
GEMV(gemma_gemv_f16, uint16_t)
GEMV_GROUP(gemma_gemv_group_f32, float)
GEMV_GROUP(gemma_gemv_group_bf16, uint16_t)
GEMV_GROUP(gemma_gemv_group_f16, uint16_t)
GEMV_GEGLU(gemma_gemv_geglu_f32, float)
GEMV_GEGLU(gemma_gemv_geglu_bf16, uint16_t)
GEMV_GEGLU(gemma_gemv_geglu_f16, uint16_t)
KERNEL(gemma_attend,
       (float *out, const float *q, const void *k, const void *v, int32_t kv_type, int64_t heads, int64_t kv_heads,
        int64_t head_dim, int64_t slots, int64_t first_slot, int64_t count, float softcap, float *scratch),
       (out, q, k, v, kv_type, heads, kv_heads, head_dim, slots, first_slot, count, softcap, scratch))
ATTEND_ROWS(KERNEL, gemma_attend_wide)
KERNEL(gemma_softcap_softmax_f32,
       (float *scores, int64_t rows, int64_t cols, int64_t stride, const int32_t *begin, const int32_t *end, float cap),
       (scores, rows, cols, stride, begin, end, cap))
KERNEL(gemma_softcap_f32, (float *x, int64_t rows, int64_t cols, int64_t stride, float cap),
       (x, rows, cols, stride, cap))
KERNEL(gemma_causal_conv_f32,
       (float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *taps, const float *bias,
        const float *state, float *next, int64_t row, int64_t rows, int64_t cols, int64_t width),
       (out, out_stride, in, in_stride, taps, bias, state, next, row, rows, cols, width))
BLOCK_DIAGONAL(gemma_block_diagonal_f32, float)
BLOCK_DIAGONAL(gemma_block_diagonal_bf16, uint16_t)
BLOCK_DIAGONAL(gemma_block_diagonal_f16, uint16_t)
KERNEL(gemma_rg_lru_f32,
       (float *out, int64_t out_stride, const float *x, int64_t x_stride, const float *input_gate,
        int64_t input_gate_stride, const float *recurrence_gate, int64_t recurrence_gate_stride, const float *y,
        int64_t y_stride, const float *rate, const float *state, float *next, int64_t row, int64_t rows, int64_t cols),
       (out, out_stride, x, x_stride, input_gate, input_gate_stride, recurrence_gate, recurrence_gate_stride, y,
        y_stride, rate, state, next, row, rows, cols))
KERNEL(gemma_narrow_bf16,
       (uint16_t * out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows, int64_t cols),
       (out, out_stride, in, in_stride, rows, cols))
WIDEN(gemma_widen_bf16)
WIDEN(gemma_widen_f16)
QUANTIZED(q8_0)
QUANTIZED(q4_0)
KERNEL(gemma_widen_blocks,
       (float *out, int64_t out_stride, const void *blocks, int32_t type, int64_t rows, int64_t cols),
       (out, out_stride, blocks, type, rows, cols))
KERNEL(gemma_embed_blocks,
       (float *out, int64_t out_stride, const void *blocks, int32_t type, const int32_t *ids, int64_t rows,
        int64_t cols, float scale),
       (out, out_stride, blocks, type, ids, rows, cols, scale))
KERNEL(gemma_gemv_blocks,
       (float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w, int32_t type, int64_t rows,
        int64_t n, int64_t k),
       (out, out_stride, x, x_stride, w, type, rows, n, k))
KERNEL(gemma_gemv_group_blocks,
       (float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *const *w, const int32_t *types,
        const int64_t *n, int64_t count, int64_t rows, int64_t k),
       (out, out_stride, x, x_stride, w, types, n, count, rows, k))
VNNI_KERNEL(gemma_quantize_rows_blocks,
            (void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols),
            (out, in, in_stride, rows, cols))
VNNI_KERNEL(gemma_matmul_blocks,
            (float *out, int64_t out_stride, const void *x, const void *w, int32_t type, int64_t rows, int64_t n,
             int64_t k),
            (out, out_stride, x, w, type, rows, n, k))
VNNI_KERNEL(gemma_matmul_group_blocks,
            (float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *types,
             const int64_t *n, int64_t count, int64_t rows, int64_t k),
            (out, out_stride, x, w, types, n, count, rows, k))
VNNI_KERNEL(gemma_matmul_geglu_blocks,
            (float *out, int64_t out_stride, const void *x, const void *gate, int32_t gate_type, const void *up,
             int32_t up_type, int64_t rows, int64_t n, int64_t k),
            (out, out_stride, x, gate, gate_type, up, up_type, rows, n, k))
KERNEL(gemma_wide_rows_f32, (void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols),
       (out, in, in_stride, rows, cols))
KERNEL(gemma_matmul_wide,
       (float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *kinds,
        const int64_t *strides, const int64_t *n, int64_t count, int64_t rows, int64_t k, void *scratch),
       (out, out_stride, x, w, kinds, strides, n, count, rows, k, scratch))
KERNEL(gemma_matmul_wide_geglu,
       (float *out, int64_t out_stride, void *strips, const void *x, const void *gate, int32_t gate_kind,
        int64_t gate_stride, const void *up, int32_t up_kind, int64_t up_stride, int64_t rows, int64_t n, int64_t k,
        void *scratch),
       (out, out_stride, strips, x, gate, gate_kind, gate_stride, up, up_kind, up_stride, rows, n, k, scratch))
TILE_KERNEL(gemma_tile_rows_f32, (void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols),
            (out, in, in_stride, rows, cols))
TILE_KERNEL(gemma_matmul_tiles,
            (float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *kinds,
             const int64_t *strides, const int64_t *n, int64_t count, int64_t rows, int64_t k, void *scratch),
            (out, out_stride, x, w, kinds, strides, n, count, rows, k, scratch))
TILE_KERNEL(gemma_matmul_tiles_geglu,
            (float *out, int64_t out_stride, void *tiles, const void *x, const void *gate, int32_t gate_kind,
             int64_t gate_stride, const void *up, int32_t up_kind, int64_t up_stride, int64_t rows, int64_t n,
             int64_t k, void *scratch),
            (out, out_stride, tiles, x, gate, gate_kind, gate_stride, up, up_kind, up_stride, rows, n, k, scratch))
ATTEND_ROWS(TILE_KERNEL, gemma_attend_tiles)

#undef EMBED
#undef GEMV
#undef GEMV_GROUP
#undef GEMV_GEGLU
#undef WIDEN
#undef PACK
#undef BLOCK_DIAGONAL
#undef QUANTIZED
#undef VNNI_KERNEL
#undef TILE_KERNEL
#undef ATTEND_ROWS
