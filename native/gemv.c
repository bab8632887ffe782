// gemv: a few rows of activations times a matrix of weights that is streamed from memory once
//   out[r, o] = sum_k x[r, k] * w[o, k]       x f32 [rows, k], w f32, bf16 or f16 [n, k] in place, out f32 [rows, n]
//   also for several matrices side by side (group: Q, K, V) and for gelu(gate . x) * (up . x) (geglu)
// Threads split the outputs. Weights are widened exactly and summed in f32 in two vectors per output, the even and the odd
// steps of LANES along k, whatever the tile: so an output has the same bits for any number of threads and of rows beside it.
#include "simd.h"
#include "team.h"

// How far ahead of the loads memory is asked for. The CPU's own prefetchers stop at 4 KB pages and restart slowly, which costs a
// third of the bandwidth (test/bench.c).
#define PREFETCH_BYTES 4096
#define LINE_BYTES 64

#if defined(__AVX512F__) || defined(__aarch64__)
#define VECTOR_REGISTERS 32
#else
#define VECTOR_REGISTERS 16
#endif

typedef struct {
    const float *x;
    int64_t x_stride, rows, k;
    int64_t w_stride; // elements
} product;

INLINE void prefetch_run(const char *now, int64_t bytes) {
    UNROLL for (int64_t b = 0; b < bytes; b += LINE_BYTES) __builtin_prefetch(now + PREFETCH_BYTES + b);
}

// out[r, o] for R rows and O outputs, both constants where this is inlined; 2 R O sums stay in registers.
INLINE void dot_tile(float *out, int64_t out_stride, const product *p, int64_t row, const char *w, dtype type, int R,
                     int O) {
    const int64_t k = p->k, x_stride = p->x_stride, w_bytes = p->w_stride * bytes_of(type);
    const float *x = p->x + row * x_stride;
    vf sums[8][4][2];
    UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int o = 0; o < O; o++) sums[r][o][0] = sums[r][o][1] = splat(0);
    }
    int64_t i = 0;
    for (; i + 2 * LANES <= k; i += 2 * LANES) {
        UNROLL for (int o = 0; o < O; o++) prefetch_run(w + o * w_bytes + i * bytes_of(type), 2 * LANES * bytes_of(type));
        UNROLL for (int half = 0; half < 2; half++) {
            int64_t j = i + half * LANES;
            vf widened[4];
            UNROLL for (int o = 0; o < O; o++) widened[o] = load_as(w + o * w_bytes, j, type);
            UNROLL for (int r = 0; r < R; r++) {
                vf xs = load(x + r * x_stride + j);
                UNROLL for (int o = 0; o < O; o++) sums[r][o][half] += xs * widened[o];
            }
        }
    }
    UNROLL for (int half = 0; half < 2; half++, i += LANES) { // what is left: at most one whole step and a part of one
        int64_t left = k - i;
        if (left <= 0) break;
        UNROLL for (int o = 0; o < O; o++) {
            const char *wo = w + o * w_bytes;
            vf widened = left >= LANES ? load_as(wo, i, type) : load_part_as(wo, i, left, type);
            UNROLL for (int r = 0; r < R; r++) sums[r][o][half] += load_n(x + r * x_stride + i, left) * widened;
        }
    }
    UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int o = 0; o < O; o++) out[r * out_stride + o] = sum(sums[r][o][0] + sums[r][o][1]);
    }
}

// All rows for O outputs: the weights come from memory for the first tile, from the cache for the others.
INLINE void dot_rows(float *out, int64_t out_stride, const product *p, const char *w, dtype type, int O) {
    int64_t r = 0;
#if VECTOR_REGISTERS == 32
    for (; r + 4 <= p->rows; r += 4) dot_tile(out + r * out_stride, out_stride, p, r, w, type, 4, O);
#endif
    for (; r + 2 <= p->rows; r += 2) dot_tile(out + r * out_stride, out_stride, p, r, w, type, 2, O);
    if (r < p->rows) dot_tile(out + r * out_stride, out_stride, p, r, w, type, 1, O);
}

// Outputs [from, to) of one matrix.
INLINE void dot_outputs_of(float *out, int64_t out_stride, const product *p, const void *w, int64_t from, int64_t to,
                           dtype type) {
    const int64_t w_bytes = p->w_stride * bytes_of(type);
    int64_t o = from;
    for (; o + 2 <= to; o += 2) dot_rows(out + o, out_stride, p, (const char *)w + o * w_bytes, type, 2);
    if (o < to) dot_rows(out + o, out_stride, p, (const char *)w + o * w_bytes, type, 1);
}

// The one copy of the tiles per type, for all that follows.
static void dot_outputs(float *out, int64_t out_stride, const product *p, const void *w, int64_t from, int64_t to,
                        dtype type) {
    switch (type) {
    case F32: dot_outputs_of(out, out_stride, p, w, from, to, F32); break;
    case BF16: dot_outputs_of(out, out_stride, p, w, from, to, BF16); break;
    case F16: dot_outputs_of(out, out_stride, p, w, from, to, F16); break;
    }
}

static int64_t work(const product *p, int64_t n, dtype type) { return n * p->k * (bytes_of(type) + p->rows) / 32; }

static void gemv(float *out, int64_t out_stride, const product *p, const void *w, int64_t n, dtype type) {
    TEAM_SPLIT(n, 16, work(p, n, type), from, to, dot_outputs(out, out_stride, p, w, from, to, type));
}

// Outputs [from, to) of the matrices side by side.
static void dot_group(float *out, int64_t out_stride, const product *p, const void *const *w, const int64_t *n,
                      int64_t count, int64_t from, int64_t to, dtype type) {
    for (int64_t i = 0, first = 0; i < count; first += n[i], i++) {
        int64_t begin = from > first ? from - first : 0, end = to - first < n[i] ? to - first : n[i];
        if (begin < end) dot_outputs(out + first, out_stride, p, w[i], begin, end, type);
    }
}

static void gemv_group(float *out, int64_t out_stride, const product *p, const void *const *w, const int64_t *n,
                       int64_t count, dtype type) {
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) total += n[i];
    TEAM_SPLIT(total, 16, work(p, total, type), from, to,
               dot_group(out, out_stride, p, w, n, count, from, to, type));
}

// Both products for a few outputs at a time, so that gelu runs on vectors and nothing but the result goes to memory.
static void dot_geglu(float *out, int64_t out_stride, const product *p, const void *gate, const void *up, int64_t from,
                      int64_t to, dtype type) {
    float gates[GEMMA_GEMV_MAX_ROWS][LANES], ups[GEMMA_GEMV_MAX_ROWS][LANES];
    const int64_t w_bytes = p->w_stride * bytes_of(type);
    for (int64_t o = from; o < to; o += LANES) {
        int64_t n = to - o < LANES ? to - o : LANES;
        dot_outputs(gates[0], LANES, p, (const char *)gate + o * w_bytes, 0, n, type);
        dot_outputs(ups[0], LANES, p, (const char *)up + o * w_bytes, 0, n, type);
        for (int64_t r = 0; r < p->rows; r++) {
            store_n(out + r * out_stride + o, vgelu(load_n(gates[r], n)) * load_n(ups[r], n), n);
        }
    }
}

static void gemv_geglu(float *out, int64_t out_stride, const product *p, const void *gate, const void *up, int64_t n,
                       dtype type) {
    TEAM_SPLIT(n, 16, work(p, 2 * n, type), from, to, dot_geglu(out, out_stride, p, gate, up, from, to, type));
}

// The exported functions of one weight type.
#define GEMV_OF(suffix, T, type)                                                                                       \
    void TIER(gemma_gemv_##suffix)(float *out, int64_t out_stride, const float *x, int64_t x_stride, const T *w,       \
                                   int64_t w_stride, int64_t rows, int64_t n, int64_t k) {                             \
        const product p = {x, x_stride, rows, k, w_stride};                                                            \
        gemv(out, out_stride, &p, w, n, type);                                                                         \
    }                                                                                                                  \
    void TIER(gemma_gemv_group_##suffix)(float *out, int64_t out_stride, const float *x, int64_t x_stride,             \
                                         const T *const *w, const int64_t *n, int64_t count, int64_t w_stride,         \
                                         int64_t rows, int64_t k) {                                                    \
        const product p = {x, x_stride, rows, k, w_stride};                                                            \
        gemv_group(out, out_stride, &p, (const void *const *)w, n, count, type);                                       \
    }                                                                                                                  \
    void TIER(gemma_gemv_geglu_##suffix)(float *out, int64_t out_stride, const float *x, int64_t x_stride,             \
                                         const T *gate, const T *up, int64_t w_stride, int64_t rows, int64_t n,        \
                                         int64_t k) {                                                                  \
        const product p = {x, x_stride, rows, k, w_stride};                                                            \
        gemv_geglu(out, out_stride, &p, gate, up, n, type);                                                            \
    }

GEMV_OF(f32, float, F32)
GEMV_OF(bf16, uint16_t, BF16)
GEMV_OF(f16, uint16_t, F16)
