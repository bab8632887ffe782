// gguf_blocks: matrices in GGUF's own blocks (gguf_blocks.h), in place
//   widen: rows as f32, exactly ggml's values; embed: rows gathered by id and scaled, the product rounded once more
//   gemv: out[r, o] = sum_k x[r, k] * w[o, k]; blocks are widened into the first-level cache and multiplied there by
//   all rows, so weights are read from memory once. Threads split the outputs; an output's bits depend neither on their
//   number nor on the rows beside it.
#include "gguf_blocks.h"
#include "team.h"

// Columns widened at a time: a multiple of every block's, 8 KB.
#define PIECE 2048

// Vectors of partial sums per output, to hide the latency of the FMA.
#define SUMS 4

void TIER(gemma_widen_blocks)(float *out, int64_t out_stride, const void *blocks, int32_t type, int64_t rows,
                              int64_t cols) {
    const block_type *t = &BLOCK_TYPES[type];
    const int64_t row_bytes = block_row_bytes(t, cols);
    TEAM_EACH(rows, rows * cols / 4, r,
              block_row(out + r * out_stride, (const uint8_t *)blocks + r * row_bytes, t, cols));
}

static void embed_row(float *out, const uint8_t *blocks, const block_type *t, int64_t cols, float scale) {
    block_row(out, blocks, t, cols);
    for (int64_t c = 0; c < cols; c += LANES) store(out + c, load(out + c) * scale);
}

void TIER(gemma_embed_blocks)(float *out, int64_t out_stride, const void *blocks, int32_t type, const int32_t *ids,
                              int64_t rows, int64_t cols, float scale) {
    const block_type *t = &BLOCK_TYPES[type];
    const int64_t row_bytes = block_row_bytes(t, cols);
    TEAM_EACH(rows, rows * cols / 4, r,
              embed_row(out + r * out_stride, (const uint8_t *)blocks + ids[r] * row_bytes, t, cols, scale));
}

typedef struct {
    const float *x;
    int64_t x_stride, rows, k;
} input;

// sums += x . w over n columns, a multiple of SUMS * LANES or the last of a row
INLINE void dot_piece(vf *sums, const float *x, const float *w, int64_t n) {
    int64_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES) {
        UNROLL for (int s = 0; s < SUMS; s++) {
            sums[s] = multiply_add(load(x + i + s * LANES), load(w + i + s * LANES), sums[s]);
        }
    }
    for (; i < n; i += LANES) sums[0] = multiply_add(load(x + i), load(w + i), sums[0]);
}

static void dot_outputs(float *out, int64_t out_stride, const input *in, const void *weights, int32_t type,
                        int64_t from, int64_t to) {
    const block_type *t = &BLOCK_TYPES[type];
    const uint8_t *w = weights;
    float wide[PIECE];
    const int64_t row_bytes = block_row_bytes(t, in->k);
    for (int64_t o = from; o < to; o++) {
        vf sums[GEMMA_GEMV_MAX_ROWS][SUMS] = {0};
        for (int64_t c = 0; c < in->k; c += PIECE) {
            const int64_t n = in->k - c < PIECE ? in->k - c : PIECE;
            block_row(wide, w + o * row_bytes + block_row_bytes(t, c), t, n);
            for (int64_t r = 0; r < in->rows; r++) dot_piece(sums[r], in->x + r * in->x_stride + c, wide, n);
        }
        for (int64_t r = 0; r < in->rows; r++) {
            out[r * out_stride + o] = sum((sums[r][0] + sums[r][1]) + (sums[r][2] + sums[r][3]));
        }
    }
}

void TIER(gemma_gemv_blocks)(float *out, int64_t out_stride, const float *x, int64_t x_stride, const void *w,
                             int32_t type, int64_t rows, int64_t n, int64_t k) {
    const input in = {x, x_stride, rows, k};
    TEAM_SPLIT(n, 16, n * k * (4 + rows) / 16, from, to, dot_outputs(out, out_stride, &in, w, type, from, to));
}

// Outputs [from, to) of the matrices side by side.
static void dot_group(float *out, int64_t out_stride, const input *in, const void *const *w, const int32_t *types,
                      const int64_t *n, int64_t count, int64_t from, int64_t to) {
    for (int64_t i = 0, first = 0; i < count; first += n[i], i++) {
        int64_t begin = from > first ? from - first : 0, end = to - first < n[i] ? to - first : n[i];
        if (begin < end) dot_outputs(out + first, out_stride, in, w[i], types[i], begin, end);
    }
}

void TIER(gemma_gemv_group_blocks)(float *out, int64_t out_stride, const float *x, int64_t x_stride,
                                   const void *const *w, const int32_t *types, const int64_t *n, int64_t count,
                                   int64_t rows, int64_t k) {
    const input in = {x, x_stride, rows, k};
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) total += n[i];
    TEAM_SPLIT(total, 16, total * k * (4 + rows) / 16, from, to,
               dot_group(out, out_stride, &in, w, types, n, count, from, to));
}
