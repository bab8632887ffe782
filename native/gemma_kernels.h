// gemma_kernels: the arithmetic of a Gemma decoder that is not matrix times matrix. A plain C ABI; its only state is
// the ISA tier.
//
// Conventions, unless a function says otherwise:
// - Activations are float32, row-major. A stride is the distance between rows in ELEMENTS and is >= the columns. Any
//   element-aligned address will do; nothing past the last element of a row is read or written.
// - bf16 and f16 values travel as uint16_t (bfloat16 and IEEE binary16 bits) and are widened exactly.
// - Outputs do not overlap inputs. "out may be in" means the same address and strides.
// - Sums are taken in f32, over several lanes; a product and a sum are fused where the ISA can; exp and tanh are within
//   3 ulp.
// - Nothing is allocated, printed or checked: the caller has checked every extent. Without rows or columns nothing is
//   done.
// - Work is split over the calling thread's OpenMP team (gemma_set_threads); the same thread count gives the same bits.
//   Call everything from one thread: the runtime keeps a team per calling thread.
#ifndef GEMMA_KERNELS_H
#define GEMMA_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GEMMA_KERNELS_ABI 7 // raised whenever a signature below or its meaning changes
#define GEMMA_GEMV_MAX_ROWS 16

// Types of elements, where a kernel takes several.
#define GEMMA_F32 0
#define GEMMA_BF16 1

#if defined(GEMMA_KERNELS_BUILD)
#define GEMMA_EXPORT __attribute__((visibility("default")))
#else
#define GEMMA_EXPORT
#endif

// ---- library -------------------------------------------------------------------------------------------------------

// GEMMA_KERNELS_ABI the library was built with.
GEMMA_EXPORT int32_t gemma_kernels_abi(void);

// The active tier: "portable", "avx2", "avx2-vnni", "avx512", "avx512-vnni", "avx512-bf16" (the avx512-vnni kernels
// on a CPU that multiplies bf16) or "avx512-amx". -vnni: quantized matmuls by VNNI's dot products of bytes; -amx:
// products of tiles by matrix instructions.
GEMMA_EXPORT const char *gemma_isa(void);

// Selects the named tier, or the best one below it that this CPU has. 0: done; -1: no such name, nothing changed.
// Not to be called while another thread is inside a kernel.
GEMMA_EXPORT int32_t gemma_limit_isa(const char *name);

// Team size of the calling thread from now on, >= 1 (omp_set_num_threads).
GEMMA_EXPORT void gemma_set_threads(int32_t threads);

// Runs one parallel region and returns how many threads took part.
GEMMA_EXPORT int32_t gemma_probe_threads(void);

// To be given to openblas_set_threads_callback_function: runs dojob(i, (char *)jobdata + i * jobdata_size, dojob_data)
// for 0 <= i < numjobs on the OpenMP team, each job on a thread of its own, all at the same time (OpenBLAS's jobs wait
// for each other), and returns when all are done. More jobs than the team has threads make the team larger for this
// call.
GEMMA_EXPORT void gemma_openblas_threads(int sync, void (*dojob)(int thread_num, void *jobdata, int dojob_data),
                                         int numjobs, size_t jobdata_size, void *jobdata, int dojob_data);

// ---- memory --------------------------------------------------------------------------------------------------------

#define GEMMA_HUGE_PAGES_FROM (4 << 20) // bytes from which huge pages are asked for

// Zeroed pages of the process's own, which take memory only where they are touched. NULL if there are none to be had.
GEMMA_EXPORT void *gemma_map_pages(int64_t bytes);

// Gives back what gemma_map_pages gave, with the same bytes. 0, or -1 if it was not that.
GEMMA_EXPORT int32_t gemma_unmap_pages(void *pages, int64_t bytes);

// Gives back the pages that lie within `memory` as a whole: what maps a file is read from it again when it is touched,
// and anything else is zeros from then on. memory: any address.
GEMMA_EXPORT void gemma_release_pages(void *memory, int64_t bytes);

// ---- embedding, norms, residual ------------------------------------------------------------------------------------

// out[r] = scale * table[ids[r]]
// table [*, cols], out [rows, cols]; 0 <= ids[r] < rows of the table; one rounding, of the product
GEMMA_EXPORT void gemma_embed_f32(float *out, int64_t out_stride, const float *table, int64_t table_stride,
                                  const int32_t *ids, int64_t rows, int64_t cols, float scale);
GEMMA_EXPORT void gemma_embed_bf16(float *out, int64_t out_stride, const uint16_t *table, int64_t table_stride,
                                   const int32_t *ids, int64_t rows, int64_t cols, float scale);
GEMMA_EXPORT void gemma_embed_f16(float *out, int64_t out_stride, const uint16_t *table, int64_t table_stride,
                                  const int32_t *ids, int64_t rows, int64_t cols, float scale);

// out[r] = in[r] / sqrt(mean(in[r]^2) + eps) * weight
// in, out [rows, cols], weight [cols] is the whole factor (where a checkpoint means 1 + w, the caller has added the 1);
// out may be in
GEMMA_EXPORT void gemma_rms_norm_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                     const float *weight, int64_t rows, int64_t cols, float eps);

// residual[r] += in[r] / sqrt(mean(in[r]^2) + eps) * weight
// residual, in [rows, cols], weight as above
GEMMA_EXPORT void gemma_rms_norm_add_f32(float *residual, int64_t residual_stride, const float *in, int64_t in_stride,
                                         const float *weight, int64_t rows, int64_t cols, float eps);

// out[r] += in[r]
// out, in [rows, cols]
GEMMA_EXPORT void gemma_add_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows,
                                int64_t cols);

// x[r] *= factor
// x [rows, cols]
GEMMA_EXPORT void gemma_scale_f32(float *x, int64_t x_stride, float factor, int64_t rows, int64_t cols);

// out[ids[r]] += factors[r] * in[r]
// in [rows, cols], out [*, cols], factors [rows]; 0 <= ids[r] < rows of out, none of them twice
GEMMA_EXPORT void gemma_add_scaled_rows_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                            const int32_t *ids, const float *factors, int64_t rows, int64_t cols);

// out[r] = in[r] * weight
// in, out [rows, cols], weight [cols]; out may be in
GEMMA_EXPORT void gemma_multiply_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                     const float *weight, int64_t rows, int64_t cols);

// x[r] *= rms(like[r]) / max(rms(x[r]), sqrt(1e-5)), rms the root of the mean square
// x, like [rows, cols]
GEMMA_EXPORT void gemma_match_magnitude_f32(float *x, int64_t x_stride, const float *like, int64_t like_stride,
                                            int64_t rows, int64_t cols);

// x[r] = max(0, x[r] - (mean(x[r]) + deviations * sqrt(variance(x[r])))), the variance that of all elements
// x [rows, cols]
GEMMA_EXPORT void gemma_sparsify_f32(float *x, int64_t x_stride, float deviations, int64_t rows, int64_t cols);

// out[r] = (in[r] - mean(in[r])) / sqrt(variance(in[r]) + eps) * weight + bias, the variance that of all elements
// in, out [rows, cols], weight, bias [cols]; out may be in
GEMMA_EXPORT void gemma_layer_norm_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                       const float *weight, const float *bias, int64_t rows, int64_t cols, float eps);

// x[r] += bias
// x [rows, cols], bias [cols]
GEMMA_EXPORT void gemma_add_bias_f32(float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols);

// x[r] = gelu(x[r] + bias), gelu(g) = g / 2 * (1 + tanh(sqrt(2 / pi) (g + 0.044715 g^3)))
// x [rows, cols], bias [cols]
GEMMA_EXPORT void gemma_bias_gelu_f32(float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols);

// ---- rotary positions ----------------------------------------------------------------------------------------------

// cos[r, i] = cos(positions[r] * inv_freq[i]), sin alike
// cos, sin [rows, half] without gaps; the angle, its cosine and sine are taken in f64 and rounded once
GEMMA_EXPORT void gemma_rope_table_f32(float *cos, float *sin, const double *inv_freq, const int32_t *positions,
                                       int64_t rows, int64_t half);

// Rows in_row + r of in, cos and sin go to rows out_row + r of out, r < rows. Per row and head, over head_dim values:
//   1. x = x / sqrt(mean(x^2) + eps) * weight
//   2. (x[i], x[i + half]) = (x[i] c - x[i + half] s, x[i + half] c + x[i] s)
//      for i < half = rope_dims / 2, c = cos[row, i], s = sin[row, i]
//   3. out = scale * x
// weight [head_dim], NULL: no norm; cos, sin [., half] without gaps, both NULL: no rotation; rope_dims even and at
// most head_dim; in, out [., heads, head_dim], element (r, h, d) at r * row_stride + h * head_stride + d; out_type: of
// out's elements, GEMMA_F32 or GEMMA_BF16; out may be in
GEMMA_EXPORT void gemma_head_norm_rope(void *out, int32_t out_type, int64_t out_row, int64_t out_row_stride,
                                       int64_t out_head_stride, const float *in, int64_t in_row, int64_t in_row_stride,
                                       int64_t in_head_stride, const float *weight, float eps, const float *cos,
                                       const float *sin, int64_t rope_dims, float scale, int64_t rows, int64_t heads,
                                       int64_t head_dim);

// ---- feed-forward --------------------------------------------------------------------------------------------------

// out = gelu(gate) * up, gelu(g) = g / 2 * (1 + tanh(sqrt(2 / pi) (g + 0.044715 g^3)))
// all [rows, cols]; out may be gate or up
GEMMA_EXPORT void gemma_geglu_f32(float *out, int64_t out_stride, const float *gate, int64_t gate_stride,
                                  const float *up, int64_t up_stride, int64_t rows, int64_t cols);

// ---- a few rows times a matrix -------------------------------------------------------------------------------------

// out[r, o] = sum_k x[r, k] * w[o, k]
// x [rows, k], w [n, k], out [rows, n]; 1 <= rows <= GEMMA_GEMV_MAX_ROWS. w is read from memory once for all rows. An
// output's bits depend neither on the threads nor on the other rows.
GEMMA_EXPORT void gemma_gemv_f32(float *out, int64_t out_stride, const float *x, int64_t x_stride, const float *w,
                                 int64_t w_stride, int64_t rows, int64_t n, int64_t k);
GEMMA_EXPORT void gemma_gemv_bf16(float *out, int64_t out_stride, const float *x, int64_t x_stride, const uint16_t *w,
                                  int64_t w_stride, int64_t rows, int64_t n, int64_t k);
GEMMA_EXPORT void gemma_gemv_f16(float *out, int64_t out_stride, const float *x, int64_t x_stride, const uint16_t *w,
                                 int64_t w_stride, int64_t rows, int64_t n, int64_t k);

// The same for `count` matrices w[i] [n[i], k] of one stride, outputs side by side: out [rows, n[0] + n[1] + ...].
GEMMA_EXPORT void gemma_gemv_group_f32(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                       const float *const *w, const int64_t *n, int64_t count, int64_t w_stride,
                                       int64_t rows, int64_t k);
GEMMA_EXPORT void gemma_gemv_group_bf16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                        const uint16_t *const *w, const int64_t *n, int64_t count, int64_t w_stride,
                                        int64_t rows, int64_t k);
GEMMA_EXPORT void gemma_gemv_group_f16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                       const uint16_t *const *w, const int64_t *n, int64_t count, int64_t w_stride,
                                       int64_t rows, int64_t k);

// out[r, o] = gelu(sum_k x[r, k] gate[o, k]) * sum_k x[r, k] up[o, k], gelu as above
// x [rows, k], gate, up [n, k] of one stride, out [rows, n]
GEMMA_EXPORT void gemma_gemv_geglu_f32(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                       const float *gate, const float *up, int64_t w_stride, int64_t rows, int64_t n,
                                       int64_t k);
GEMMA_EXPORT void gemma_gemv_geglu_bf16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                        const uint16_t *gate, const uint16_t *up, int64_t w_stride, int64_t rows,
                                        int64_t n, int64_t k);
GEMMA_EXPORT void gemma_gemv_geglu_f16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                       const uint16_t *gate, const uint16_t *up, int64_t w_stride, int64_t rows,
                                       int64_t n, int64_t k);

// ---- recurrent blocks ----------------------------------------------------------------------------------------------

// out[r, c] = bias[c] + sum_t taps[t, c] * in[r - (width - 1) + t, c], t < width, for the rows [row, row + rows)
// in, out [., cols], taps [width, cols], bias [cols]; width >= 1. Rows before `row` are those of state
// [width - 1, cols], oldest first; NULL: zeros, a sequence begins. next [width - 1, cols] becomes the state behind the
// last row; it does not overlap state.
GEMMA_EXPORT void gemma_causal_conv_f32(float *out, int64_t out_stride, const float *in, int64_t in_stride,
                                        const float *taps, const float *bias, const float *state, float *next,
                                        int64_t row, int64_t rows, int64_t cols, int64_t width);

// out[r, b * n + j] = bias[b * n + j] + sum_i x[r, b * k + i] * w[b, i, j]
// x [rows, blocks * k], w [blocks, k, n] without gaps, bias [blocks * n], out [rows, blocks * n]. An output's bits
// depend neither on the threads nor on the other rows.
GEMMA_EXPORT void gemma_block_diagonal_f32(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                           const float *w, const float *bias, int64_t rows, int64_t blocks, int64_t n,
                                           int64_t k);
GEMMA_EXPORT void gemma_block_diagonal_bf16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                            const uint16_t *w, const float *bias, int64_t rows, int64_t blocks,
                                            int64_t n, int64_t k);
GEMMA_EXPORT void gemma_block_diagonal_f16(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                           const uint16_t *w, const float *bias, int64_t rows, int64_t blocks,
                                           int64_t n, int64_t k);

// Row after row of [row, row + rows), each column on its own:
//   log a = rate * sigmoid(recurrence_gate); h = a h + sqrt(1 - a^2) * (sigmoid(input_gate) * x); out = h * gelu(y)
// x, input_gate, recurrence_gate, y, out [., cols]; rate [cols], at most 0; state [cols]: h before the first row;
// NULL: a sequence begins, and h = sigmoid(input_gate) * x in its first row. next [cols] becomes h of the last row; it
// does not overlap state. out may be x or y.
GEMMA_EXPORT void gemma_rg_lru_f32(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                   const float *input_gate, int64_t input_gate_stride, const float *recurrence_gate,
                                   int64_t recurrence_gate_stride, const float *y, int64_t y_stride, const float *rate,
                                   const float *state, float *next, int64_t row, int64_t rows, int64_t cols);

// ---- attention -----------------------------------------------------------------------------------------------------

// Floats of scratch that gemma_attend needs for these heads on a team of up to `threads`.
GEMMA_EXPORT int64_t gemma_attend_scratch(int64_t heads, int64_t head_dim, int64_t threads);

// One query position against a ring of keys and values:
//   s[h, j] = q[h] . k[g, slot(j)]; softcap > 0: s = softcap * tanh(s / softcap)
//   out[h] = sum_j softmax(s[h])[j] * v[g, slot(j)]
//   slot(j) = (first_slot + j) mod slots, 0 <= j < count <= slots; g = h / (heads / kv_heads)
// q, out [heads, head_dim] without gaps, q already scaled; k, v [kv_heads, slots, head_dim] of kv_type, GEMMA_F32 or
// GEMMA_BF16; count 0: zeros. K and V are read once per KV head (online softmax). scratch: gemma_attend_scratch floats;
// its contents mean nothing between calls.
GEMMA_EXPORT void gemma_attend(float *out, const float *q, const void *k, const void *v, int32_t kv_type, int64_t heads,
                               int64_t kv_heads, int64_t head_dim, int64_t slots, int64_t first_slot, int64_t count,
                               float softcap, float *scratch);

// Bytes of scratch of gemma_attend_wide.
GEMMA_EXPORT int64_t gemma_attend_wide_scratch(int64_t head_dim, int64_t threads);

// Many query positions of one sequence against a ring of keys and values; query r sees the keys begin[r] <= j < end[r]:
//   s[r, h, j] = q[r, h] . k[g, slot(j)]; softcap > 0: s = softcap * tanh(s / softcap)
//   out[r, h] = sum_j softmax(s[r, h])[j] * v[g, slot(j)]
//   slot(j) = (first_slot + j) mod slots, 0 <= begin, end <= count <= slots; g = h / (heads / kv_heads)
// q, out [rows, heads, head_dim], strides q_row, q_head, out_row, out_head, q already scaled; k, v [slots, kv_heads,
// head_dim] of kv_type, GEMMA_F32 or GEMMA_BF16, strides kv_row, kv_head. A query that sees nothing gives zeros. All
// in f32.
GEMMA_EXPORT void gemma_attend_wide(float *out, int64_t out_row, int64_t out_head, const float *q, int64_t q_row,
                                    int64_t q_head, const void *k, const void *v, int32_t kv_type, int64_t kv_row,
                                    int64_t kv_head, int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows,
                                    int64_t slots, int64_t first_slot, int64_t count, const int32_t *begin,
                                    const int32_t *end, float softcap, void *scratch);

// In place, row r over the columns [begin[r], end[r]), 0 <= begin, end <= cols; the other columns become 0:
//   p = softmax(cap > 0 ? cap * tanh(s / cap) : s)
// scores [rows, cols]; an empty row, or one of -inf only, gives zeros
GEMMA_EXPORT void gemma_softcap_softmax_f32(float *scores, int64_t rows, int64_t cols, int64_t stride,
                                            const int32_t *begin, const int32_t *end, float cap);

// x = cap * tanh(x / cap), in place
// x [rows, cols], cap > 0
GEMMA_EXPORT void gemma_softcap_f32(float *x, int64_t rows, int64_t cols, int64_t stride, float cap);

// ---- formats -------------------------------------------------------------------------------------------------------

// out = bf16(in), to nearest, ties to even, subnormals kept; a NaN stays a NaN
// in, out [rows, cols]
GEMMA_EXPORT void gemma_narrow_bf16(uint16_t *out, int64_t out_stride, const float *in, int64_t in_stride, int64_t rows,
                                    int64_t cols);

// out = in, exactly
// in, out [rows, cols]
GEMMA_EXPORT void gemma_widen_bf16(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                                   int64_t cols);
GEMMA_EXPORT void gemma_widen_f16(float *out, int64_t out_stride, const uint16_t *in, int64_t in_stride, int64_t rows,
                                  int64_t cols);

// ---- block-quantized weights ----------------------------------------------------------------------------------------

// Q8_0 and Q4_0 as GGUF defines them: blocks of 32 columns, each with an f16 scale. Columns are a multiple of 32.
// Weights are held in panels of 16 rows, whose layout panels.h tells: the caller only knows their bytes. Panels begin
// at a multiple of 64 bytes. The panels of the rows from a multiple of 16 on are a matrix of their own, as many bytes
// further on as the rows before them take: so a matrix may be packed piece by piece.

// Bytes of the panels of a matrix [rows, cols].
GEMMA_EXPORT int64_t gemma_packed_bytes_q8_0(int64_t rows, int64_t cols);
GEMMA_EXPORT int64_t gemma_packed_bytes_q4_0(int64_t rows, int64_t cols);

// out = panels of in [rows, cols], quantized as ggml's reference does, to the bit
GEMMA_EXPORT void gemma_pack_q8_0_f32(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q8_0_bf16(void *out, const uint16_t *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q8_0_f16(void *out, const uint16_t *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q4_0_f32(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q4_0_bf16(void *out, const uint16_t *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q4_0_f16(void *out, const uint16_t *in, int64_t in_stride, int64_t rows, int64_t cols);

// out = panels of GGUF's own blocks [rows, cols / 32] (34 bytes each for Q8_0, 18 for Q4_0; any address), nothing
// rounded
GEMMA_EXPORT void gemma_pack_q8_0_blocks(void *out, const void *blocks, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_pack_q4_0_blocks(void *out, const void *blocks, int64_t rows, int64_t cols);

// out = GGUF's own blocks of in [rows, cols], row after row without gaps, at any address, quantized as ggml's reference
// does, to the bit
GEMMA_EXPORT void gemma_quantize_blocks_q8_0(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_quantize_blocks_q4_0(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);

// out[r] = row first + r of the panels, exactly       out [rows, cols], cols those of the whole matrix
GEMMA_EXPORT void gemma_unpack_q8_0(float *out, int64_t out_stride, const void *panels, int64_t first, int64_t rows,
                                    int64_t cols);
GEMMA_EXPORT void gemma_unpack_q4_0(float *out, int64_t out_stride, const void *panels, int64_t first, int64_t rows,
                                    int64_t cols);

// out[r] = scale * row ids[r] of the panels       out [rows, cols]; one rounding
GEMMA_EXPORT void gemma_embed_q8_0(float *out, int64_t out_stride, const void *panels, const int32_t *ids, int64_t rows,
                                   int64_t cols, float scale);
GEMMA_EXPORT void gemma_embed_q4_0(float *out, int64_t out_stride, const void *panels, const int32_t *ids, int64_t rows,
                                   int64_t cols, float scale);

// ---- GGUF's blocks in place -----------------------------------------------------------------------------------------

// Matrices as they lie in a GGUF file: rows of blocks without gaps, at any address, columns a multiple of the block's.
// `type` is ggml's number: 2 q4_0, 3 q4_1, 6 q5_0, 7 q5_1, 8 q8_0, 20 iq4_nl (32 columns); 10 q2_k to 14 q6_k (256).

// out = the values, exactly ggml's       out [rows, cols]
GEMMA_EXPORT void gemma_widen_blocks(float *out, int64_t out_stride, const void *blocks, int32_t type, int64_t rows,
                                     int64_t cols);

// out[r] = scale * row ids[r]       out [rows, cols]
GEMMA_EXPORT void gemma_embed_blocks(float *out, int64_t out_stride, const void *blocks, int32_t type,
                                     const int32_t *ids, int64_t rows, int64_t cols, float scale);

// out[r, o] = sum_k x[r, k] * w[o, k]       x [rows, k], w [n, k], out [rows, n]; 1 <= rows <= GEMMA_GEMV_MAX_ROWS
// w is read from memory once for all rows. An output's bits depend neither on the threads nor on the other rows.
GEMMA_EXPORT void gemma_gemv_blocks(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w,
                                    int32_t type, int64_t rows, int64_t n, int64_t k);

// The same for `count` matrices w[i] [n[i], k], each of its own type, outputs side by side: out [rows, n[0] + n[1] +
// ...].
GEMMA_EXPORT void gemma_gemv_group_blocks(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                          const void *const *w, const int32_t *types, const int64_t *n, int64_t count,
                                          int64_t rows, int64_t k);

// ---- quantized activations ------------------------------------------------------------------------------------------

// Bytes of quantized activations [rows, cols], cols a multiple of 32; they begin at a multiple of 4 bytes.
GEMMA_EXPORT int64_t gemma_quantized_bytes(int64_t rows, int64_t cols);

// The same of those for gemma_matmul_blocks and its like.
GEMMA_EXPORT int64_t gemma_quantized_blocks_bytes(int64_t rows, int64_t cols);

// out = in [rows, cols] in int8, each block of 32 columns of a row by itself: scale = max|x| / 127, to the nearest,
// ties to even. For gemma_matmul_q8_0 and its like, or those of q4_0, of the same tier.
GEMMA_EXPORT void gemma_quantize_rows_q8_0(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);
GEMMA_EXPORT void gemma_quantize_rows_q4_0(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);

// The same for gemma_matmul_blocks and its like.
GEMMA_EXPORT void gemma_quantize_rows_blocks(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);

// ---- quantized activations times GGUF's own blocks ------------------------------------------------------------------

// out[r, o] = sum_k x[r, k] w[o, k]       x quantized activations [rows, k], w [n, k] in blocks of GGUF's type `type`,
// out [rows, n]; 1 <= rows <= GEMMA_GEMV_MAX_ROWS
// w is read from memory once for all rows. Exact within 32 columns, then f32 group after group; an output's bits depend
// neither on the threads nor on the other rows.
GEMMA_EXPORT void gemma_matmul_blocks(float *out, int64_t out_stride, const void *x, const void *w, int32_t type,
                                      int64_t rows, int64_t n, int64_t k);

// The same for `count` matrices w[i] [n[i], k], each of its own type, outputs side by side: out [rows, n[0] + n[1] +
// ...].
GEMMA_EXPORT void gemma_matmul_group_blocks(float *out, int64_t out_stride, const void *x, const void *const *w,
                                            const int32_t *types, const int64_t *n, int64_t count, int64_t rows,
                                            int64_t k);

// out[r, o] = gelu_tanh(gate[o] . x[r]) * (up[o] . x[r])       gate, up [n, k], out [rows, n]
GEMMA_EXPORT void gemma_matmul_geglu_blocks(float *out, int64_t out_stride, const void *x, const void *gate,
                                            int32_t gate_type, const void *up, int32_t up_type, int64_t rows, int64_t n,
                                            int64_t k);

// ---- quantized activations times block-quantized weights ------------------------------------------------------------

// out[r, o] = sum_k x[r, k] w[o, k]       x quantized activations [rows, k], w panels [n, k], out [rows, n]; any rows
// Exact within a block, then f32 block after block. Up to 16 rows, w is read from memory once. An output's bits depend
// neither on the threads nor on the other rows.
GEMMA_EXPORT void gemma_matmul_q8_0(float *out, int64_t out_stride, const void *x, const void *w, int64_t rows,
                                    int64_t n, int64_t k);
GEMMA_EXPORT void gemma_matmul_q4_0(float *out, int64_t out_stride, const void *x, const void *w, int64_t rows,
                                    int64_t n, int64_t k);

// The same for `count` matrices w[i] [n[i], k], outputs side by side: out [rows, n[0] + n[1] + ...].
GEMMA_EXPORT void gemma_matmul_group_q8_0(float *out, int64_t out_stride, const void *x, const void *const *w,
                                          const int64_t *n, int64_t count, int64_t rows, int64_t k);
GEMMA_EXPORT void gemma_matmul_group_q4_0(float *out, int64_t out_stride, const void *x, const void *const *w,
                                          const int64_t *n, int64_t count, int64_t rows, int64_t k);

// out[r, o] = gelu(sum_k x[r, k] gate[o, k]) * sum_k x[r, k] up[o, k]       gate, up panels [n, k], gelu as above
GEMMA_EXPORT void gemma_matmul_geglu_q8_0(float *out, int64_t out_stride, const void *x, const void *gate,
                                          const void *up, int64_t rows, int64_t n, int64_t k);
GEMMA_EXPORT void gemma_matmul_geglu_q4_0(float *out, int64_t out_stride, const void *x, const void *gate,
                                          const void *up, int64_t rows, int64_t n, int64_t k);

// ---- many rows times weights of any kind ---------------------------------------------------------------------------

// Kinds of weights [n, k]: bf16 and f16 rows `stride` elements apart; panels as gemma_pack_.. writes them; and, from
// GEMMA_WEIGHTS_BLOCKS on, GGUF's blocks in place, of ggml's type kind - GEMMA_WEIGHTS_BLOCKS, as gemma_widen_blocks
// takes them. Panels and blocks have no stride.
#define GEMMA_WEIGHTS_BF16 0
#define GEMMA_WEIGHTS_F16 1
#define GEMMA_WEIGHTS_Q8_0 2
#define GEMMA_WEIGHTS_Q4_0 3
#define GEMMA_WEIGHTS_BLOCKS 16

#define GEMMA_MAX_MATRICES 8 // in one product

// Everything in f32, weights widened exactly. Sums are in the order of k, so bits depend neither on the threads nor on
// the rows beside.

// Bytes of `rows` rows in strips, and of the scratch of a team of `threads`.
GEMMA_EXPORT int64_t gemma_wide_bytes(int64_t rows, int64_t cols);
GEMMA_EXPORT int64_t gemma_wide_scratch(int64_t threads);

// out = the rows in strips
// in [rows, cols], out gemma_wide_bytes, aligned to 64
GEMMA_EXPORT void gemma_wide_rows_f32(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);

// out[r, o] = sum_k x[r, k] w[o, k], the outputs of `count` matrices w[i] [n[i], k] side by side
// out [rows, sum of n], x rows [rows, k] in strips; scratch: gemma_wide_scratch bytes, aligned to 64, its contents mean
// nothing between calls
GEMMA_EXPORT void gemma_matmul_wide(float *out, int64_t out_stride, const void *x, const void *const *w,
                                    const int32_t *kinds, const int64_t *strides, const int64_t *n, int64_t count,
                                    int64_t rows, int64_t k, void *scratch);

// out[r, o] = gelu(sum_k x[r, k] gate[o, k]) * sum_k x[r, k] up[o, k]       gate, up [n, k], gelu as above
// strips: if not NULL, takes the outputs as rows [rows, n] in strips; out is not written then
GEMMA_EXPORT void gemma_matmul_wide_geglu(float *out, int64_t out_stride, void *strips, const void *x, const void *gate,
                                          int32_t gate_kind, int64_t gate_stride, const void *up, int32_t up_kind,
                                          int64_t up_stride, int64_t rows, int64_t n, int64_t k, void *scratch);

// ---- the same by bf16 tiles ----------------------------------------------------------------------------------------

// Rows rounded to bf16 times weights rounded to bf16 where they are not: by matrix instructions, which only the tier
// avx512-amx has; elsewhere these are slow and for tests alone. Sums are in f32, in an order that depends on k alone.
// The instructions take subnormals for 0.

// Bytes of `rows` rows in tiles, and of the scratch of a team of `threads`.
GEMMA_EXPORT int64_t gemma_tiles_bytes(int64_t rows, int64_t cols);
GEMMA_EXPORT int64_t gemma_tiles_scratch(int64_t threads);

// out = the rows in tiles, rounded to bf16 (to nearest, ties to even)
// in [rows, cols], out gemma_tiles_bytes, aligned to 64
GEMMA_EXPORT void gemma_tile_rows_f32(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);

// As gemma_matmul_wide and gemma_matmul_wide_geglu, x and what takes the outputs in tiles, with gemma_tiles_scratch.
GEMMA_EXPORT void gemma_matmul_tiles(float *out, int64_t out_stride, const void *x, const void *const *w,
                                     const int32_t *kinds, const int64_t *strides, const int64_t *n, int64_t count,
                                     int64_t rows, int64_t k, void *scratch);

GEMMA_EXPORT void gemma_matmul_tiles_geglu(float *out, int64_t out_stride, void *tiles, const void *x, const void *gate,
                                           int32_t gate_kind, int64_t gate_stride, const void *up, int32_t up_kind,
                                           int64_t up_stride, int64_t rows, int64_t n, int64_t k, void *scratch);

#define GEMMA_MAX_HEAD_DIM 1024 // of attention by tiles

// Bytes of scratch of gemma_attend_tiles, aligned to 64.
GEMMA_EXPORT int64_t gemma_attend_tiles_scratch(int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows,
                                                int64_t threads);

// As gemma_attend_wide, queries, keys, values and probabilities rounded to bf16; head_dim at most GEMMA_MAX_HEAD_DIM.
GEMMA_EXPORT void gemma_attend_tiles(float *out, int64_t out_row, int64_t out_head, const float *q, int64_t q_row,
                                     int64_t q_head, const void *k, const void *v, int32_t kv_type, int64_t kv_row,
                                     int64_t kv_head, int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows,
                                     int64_t slots, int64_t first_slot, int64_t count, const int32_t *begin,
                                     const int32_t *end, float softcap, void *scratch);

// ---- what the machine can do at most -------------------------------------------------------------------------------

// Probes that compute nothing of use: each runs on the whole team for about `seconds` and returns the best rate seen,
// on the widest instructions there are, whatever the tier. 0: this CPU has no such instructions, or there is no data.

// Bytes per second read from `data`, in several ways, each at least once: much more than the caches hold, and touched.
GEMMA_EXPORT double gemma_measure_read(const void *data, int64_t bytes, double seconds);

// Operations per second, a product and a sum being two: f32 FMA, bf16 products with f32 sums (tdpbf16ps if the tier is
// avx512-amx, else vdpbf16ps), products of bytes with int32 sums (vpdpbusd, else vpmaddubsw, vpmaddwd and vpaddd).
GEMMA_EXPORT double gemma_measure_fma(double seconds);
GEMMA_EXPORT double gemma_measure_bf16(double seconds);
GEMMA_EXPORT double gemma_measure_int8(double seconds);

#ifdef __cplusplus
}
#endif
#endif
