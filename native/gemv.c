// gemv: a few rows of activations times a matrix of weights that is streamed from memory once
//   out[r, o] = sum_k x[r, k] * w[o, k]       x f32 [rows, k], w f32, bf16 or f16 [n, k] in place, out f32 [rows, n]
//   also for several matrices side by side (group: Q, K, V) and for gelu(gate . x) * (up . x) (geglu)
// Threads split the outputs. Weights are widened exactly and summed in f32, every output in the same SUMS x LANES lanes
// and the same order whatever the tile: so its bits depend neither on the number of threads nor on the rows beside it.
#include "exp.h"
#include "team.h"

// Runs of consecutive rows of weights that a thread reads side by side: one alone does not fill the bandwidth (one
// core: 13.4 GB/s with one, 16 with four or eight; a plain read of one run, prefetched as well, 12.5).
#define RUNS 4

#define STEP 32 // elements along k between prefetches
#define LINE_BYTES 64

// How far ahead of the loads memory is asked for in each run, past the end of its row into the next. The CPU's own
// prefetchers stop at 4 KB pages and restart slowly.
#define AHEAD 768 // elements

// Vectors of partial sums per output. The FMA's latency is hidden by the tile's outputs; the narrower tiers need two
// sums each to have enough of them in flight.
#if defined(__AVX512F__)
#define SUMS 1
#else
#define SUMS 2
#endif

typedef struct {
    const float *x;
    int64_t x_stride, rows, k;
    int64_t w_stride; // elements
} product;

INLINE void prefetch_step(const char *w, dtype type) {
    UNROLL for (int64_t b = 0; b < STEP * bytes_of(type); b += LINE_BYTES) __builtin_prefetch(w + b);
}

// out[r, o] = x[r] . w[o] for R rows and O weight rows, both constants where this is inlined; R O SUMS vectors of sums
// stay in registers.
INLINE void dot_tile(float *out, int64_t out_stride, int64_t out_step, const float *x, int64_t x_stride,
                     const char *const *w, int64_t offset, int64_t k, dtype type, int R, int O) {
    vf sums[6][RUNS][SUMS];
    const char *row[RUNS];
    UNROLL for (int o = 0; o < O; o++) {
        row[o] = w[o] + offset;
        UNROLL for (int r = 0; r < R; r++) { UNROLL for (int s = 0; s < SUMS; s++) sums[r][o][s] = splat(0); }
    }
    int64_t i = 0;
    for (; i + STEP <= k; i += STEP) {
        UNROLL for (int o = 0; o < O; o++) prefetch_step(row[o] + (i + AHEAD) * bytes_of(type), type);
        UNROLL for (int part = 0; part < STEP / LANES; part++) {
            int64_t j = i + part * LANES;
            vf widened[RUNS];
            UNROLL for (int o = 0; o < O; o++) widened[o] = load_as(row[o], j, type);
            UNROLL for (int r = 0; r < R; r++) {
                vf xs = load(x + r * x_stride + j);
                UNROLL for (int o = 0; o < O; o++) {
                    vf *at = &sums[r][o][part % SUMS];
                    *at = multiply_add(xs, widened[o], *at);
                }
            }
        }
    }
    for (; i < k; i += LANES) {
        int64_t left = k - i;
        UNROLL for (int o = 0; o < O; o++) {
            vf widened = left >= LANES ? load_as(row[o], i, type) : load_part_as(row[o], i, left, type);
            UNROLL for (int r = 0; r < R; r++) {
                sums[r][o][0] = multiply_add(load_n(x + r * x_stride + i, left), widened, sums[r][o][0]);
            }
        }
    }
    UNROLL for (int r = 0; r < R; r++) {
        UNROLL for (int o = 0; o < O; o++) {
            vf total = sums[r][o][0];
            UNROLL for (int s = 1; s < SUMS; s++) total += sums[r][o][s];
            out[r * out_stride + o * out_step] = sum(total);
        }
    }
}

// Each tile is a function of its own, so that its pointers find registers too.
typedef void tile_run(float *out, int64_t out_stride, int64_t out_step, const float *x, int64_t x_stride,
                      const char *const *w, int64_t offset, int64_t k);

typedef struct {
    int64_t rows, outputs;
    tile_run *run[3]; // by dtype
} tile;

#define DEFINE_TILE_OF(R, O, type)                                                                                     \
    static __attribute__((noinline)) void dot_##R##x##O##_##type(float *out, int64_t out_stride, int64_t out_step,     \
                                                                 const float *x, int64_t x_stride,                     \
                                                                 const char *const *w, int64_t offset, int64_t k) {    \
        dot_tile(out, out_stride, out_step, x, x_stride, w, offset, k, type, R, O);                                    \
    }
#define DEFINE_TILE(R, O) DEFINE_TILE_OF(R, O, F32) DEFINE_TILE_OF(R, O, BF16) DEFINE_TILE_OF(R, O, F16)
#define TILE(R, O)                                                                                                     \
    {                                                                                                                  \
        R, O, { dot_##R##x##O##_F32, dot_##R##x##O##_BF16, dot_##R##x##O##_F16 }                                       \
    }

// What fits the registers, from the most rows to one: for RUNS weight rows, and for a single one that is left over.
DEFINE_TILE(1, 4)
DEFINE_TILE(1, 1)
#if LANES == 16
DEFINE_TILE(6, 4)
DEFINE_TILE(4, 4)
DEFINE_TILE(2, 4)
DEFINE_TILE(4, 1)
static const tile WIDE[] = {TILE(6, 4), TILE(4, 4), TILE(2, 4), TILE(1, 4)};
static const tile NARROW[] = {TILE(4, 1), TILE(1, 1)};
#else
DEFINE_TILE(3, 2)
DEFINE_TILE(2, 2)
DEFINE_TILE(2, 1)
static const tile WIDE[] = {TILE(3, 2), TILE(2, 2), TILE(1, 4)};
static const tile NARROW[] = {TILE(2, 1), TILE(1, 1)};
#endif

// out[r, i * out_step + j] = x[r] . (row j of run i) for all rows r, `runs` = RUNS or 1 and j < n. The weights come
// from memory for the first tile of a j and from the cache for the others.
static void dot_runs(float *out, int64_t out_stride, int64_t out_step, const product *p, const char *const *w, int runs,
                     int64_t n, dtype type) {
    for (int64_t j = 0; j < n; j++) {
        const tile *t = runs == 1 ? NARROW : WIDE;
        for (int64_t r = 0; r < p->rows; r += t->rows) {
            while (t->rows > p->rows - r) t++;
            for (int64_t i = 0; i < runs; i += t->outputs) {
                t->run[type](out + r * out_stride + i * out_step + j, out_stride, out_step, p->x + r * p->x_stride,
                             p->x_stride, w + i, j * p->w_stride * bytes_of(type), p->k);
            }
        }
    }
}

static const char *weight_row(const void *w, int64_t row, const product *p, dtype type) {
    return (const char *)w + row * p->w_stride * bytes_of(type);
}

// Outputs [from, to) of one matrix: RUNS runs of equal length side by side, then what does not divide.
static void dot_outputs(float *out, int64_t out_stride, const product *p, const void *w, int64_t from, int64_t to,
                        dtype type) {
    int64_t n = (to - from) / RUNS, rest = from + n * RUNS;
    const char *runs[RUNS], *last = weight_row(w, rest, p, type);
    for (int i = 0; i < RUNS; i++) runs[i] = weight_row(w, from + i * n, p, type);
    dot_runs(out + from, out_stride, n, p, runs, RUNS, n, type);
    dot_runs(out + rest, out_stride, 0, p, &last, 1, to - rest, type);
}

static int64_t work(const product *p, int64_t n, dtype type) { return n * p->k * (4 * bytes_of(type) + p->rows) / 64; }

// Rows of weights that a thread takes at least: as much as it reads in some microseconds.
static int64_t grain(const product *p, dtype type) {
    enum { LEAST_BYTES = 64 << 10, ROWS = 16 };
    const int64_t bytes = ROWS * p->k * bytes_of(type);
    return (LEAST_BYTES + bytes - 1) / bytes * ROWS;
}

static void gemv(float *out, int64_t out_stride, const product *p, const void *w, int64_t n, dtype type) {
    TEAM_TAKE(n, grain(p, type), work(p, n, type), from, to, dot_outputs(out, out_stride, p, w, from, to, type));
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
    TEAM_TAKE(total, grain(p, type), work(p, total, type), from, to,
              dot_group(out, out_stride, p, w, n, count, from, to, type));
}

// One block of gelu(gate . x) * (up . x): n <= LANES outputs from `from` on.
static void geglu_block(float *out, int64_t out_stride, const float *gates, const float *ups, int64_t stride,
                        int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++) geglu_row(out + r * out_stride, gates + r * stride, ups + r * stride, n);
}

// Outputs [from, to): two runs of gate and two of up, a block at a time, so that gelu runs on vectors and nothing but
// the result goes to memory.
static void dot_geglu(float *out, int64_t out_stride, const product *p, const void *gate, const void *up, int64_t from,
                      int64_t to, dtype type) {
    enum { STRIDE = RUNS * LANES };
    float products[GEMMA_GEMV_MAX_ROWS * STRIDE];
    const int64_t half = (to - from) / 2;
    for (int64_t j = 0; j < half; j += LANES) {
        int64_t n = half - j < LANES ? half - j : LANES, a = from + j, b = from + half + j;
        const char *runs[RUNS] = {weight_row(gate, a, p, type), weight_row(gate, b, p, type),
                                  weight_row(up, a, p, type), weight_row(up, b, p, type)};
        dot_runs(products, STRIDE, LANES, p, runs, RUNS, n, type);
        geglu_block(out + a, out_stride, products, products + 2 * LANES, STRIDE, p->rows, n);
        geglu_block(out + b, out_stride, products + LANES, products + 3 * LANES, STRIDE, p->rows, n);
    }
    if ((to - from) % 2 == 1) {
        const char *last_gate = weight_row(gate, to - 1, p, type), *last_up = weight_row(up, to - 1, p, type);
        dot_runs(products, STRIDE, 0, p, &last_gate, 1, 1, type);
        dot_runs(products + LANES, STRIDE, 0, p, &last_up, 1, 1, type);
        geglu_block(out + to - 1, out_stride, products, products + LANES, STRIDE, p->rows, 1);
    }
}

static void gemv_geglu(float *out, int64_t out_stride, const product *p, const void *gate, const void *up, int64_t n,
                       dtype type) {
    TEAM_TAKE(n, grain(p, type), work(p, 2 * n, type), from, to,
              dot_geglu(out, out_stride, p, gate, up, from, to, type));
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
