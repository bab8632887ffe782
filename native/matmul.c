// matmul: rows of quantized activations times weights in panels (panels.h), for any number of rows
//   out[r, o] = sum over blocks b of (x's scale * (w's scale * (sum over the block of x's q * w's value)))
//   also for several matrices side by side (group: Q, K, V) and for gelu(gate . x) * (up . x) (geglu)
// The inner sum is exact, in int32; the outer is in f32, block after block, whatever the tile. So an output has the
// same bits for any number of threads and of rows beside it. Up to ROW_GROUP rows are multiplied at a time, so up to
// that the weights are read from memory once; beyond, a few panels are taken from the cache for group after group.
// Threads split the panels, and many threads the rows too.
#include "block_dot.h"
#include "exp.h"
#include "team.h"

#define LINE_BYTES 64

// Panels that all rows are multiplied by before the next ones, so that they stay in the L2 cache.
#define CHUNK_BYTES (256 << 10)

// Bytes of weights asked for ahead of the loads: the CPU's own prefetchers stop at pages of 4 KB and restart slowly.
// Measured from 1 to 8 KB: 2 KB reads a fifth faster than 4 KB.
#define AHEAD 2048

// Bytes of weights that a thread takes at least, when it waits for memory: as much as it reads in some microseconds.
#define LEAST_PART (64 << 10)

// Few rows wait for memory, and two panels that lie apart are read faster than one: so many rows take two panels side
// by side.
#define MOST_PANELS 2

#if LANES == 16
#define TILE_ROWS 16 // rows whose sums with one panel stay in registers
#define PAIR_ROWS 8  // with two
#define SIDE 4       // rows whose dots are taken side by side, because each waits for itself
#else
#define TILE_ROWS 4
#define PAIR_ROWS 4
#define SIDE 1
#endif

typedef struct {
    const activation *x;
    int64_t rows, blocks;
    int64_t first, last; // the rows to multiply: [first, last), first a multiple of ROW_GROUP
} product;

INLINE void prefetch_bytes(const char *p, int64_t bytes) {
    UNROLL for (int64_t i = 0; i < bytes; i += LINE_BYTES) __builtin_prefetch(p + i);
}

// One block of R rows, x[0..R), times one panel's.
INLINE void add_block(vf sums[][CUTS], const char *scales, const char *quants, const activation *x, format f, int R) {
    UNROLL for (int c = 0; c < CUTS; c++) {
        const weights w = unpack(quants, c, f);
        const vf scale = load_as(scales, c * LANES, F16) * DOT_UNIT(f), base = scale * SUM_BASE;
        UNROLL for (int r = 0; r < R; r += SIDE) {
            const int side = R - r < SIDE ? R - r : SIDE;
            vi dots[SIDE];
            block_dots(dots, &w, x + r, side, f);
            UNROLL for (int i = 0; i < side; i++) {
                sums[r + i][c] = multiply_add(weighted(dots[i], scale, base), splat(x[r + i].scale), sums[r + i][c]);
            }
        }
    }
}

// sums [R, PANEL_ROWS] per panel, `step` floats apart = R rows of x, `group` activations from block to block, times P
// panels.
INLINE void tile(float *sums, int64_t step, const char *const *panels, const activation *x, int64_t group,
                 int64_t blocks, format f, int R, int P) {
    const int64_t scales = PANEL_ROWS * 2, quants = quants_bytes(f);
    vf totals[MOST_PANELS][TILE_ROWS][CUTS];
    const char *at[MOST_PANELS];
    UNROLL for (int p = 0; p < P; p++) {
        at[p] = panels[p];
        UNROLL for (int r = 0; r < R; r++) { UNROLL for (int c = 0; c < CUTS; c++) totals[p][r][c] = splat(0); }
    }
    for (; blocks >= 2; blocks -= 2, x += 2 * group) {
        UNROLL for (int p = 0; p < P; p++) {
            prefetch_bytes(at[p] + AHEAD, LINE_BYTES + quants);
            add_block(totals[p], at[p], at[p] + 2 * scales, x, f, R);
        }
        UNROLL for (int p = 0; p < P; p++) {
            prefetch_bytes(at[p] + AHEAD + LINE_BYTES + quants, quants);
            add_block(totals[p], at[p] + scales, at[p] + 2 * scales + quants, x + group, f, R);
            at[p] += pair_bytes(f);
        }
    }
    UNROLL for (int p = 0; p < P; p++) {
        if (blocks > 0) add_block(totals[p], at[p], at[p] + 2 * scales, x, f, R);
        UNROLL for (int r = 0; r < R; r++) {
            UNROLL for (int c = 0; c < CUTS; c++) store(sums + p * step + r * PANEL_ROWS + c * LANES, totals[p][r][c]);
        }
    }
}

// Each tile is a function of its own, so that its pointers find registers too.
typedef void tile_run(float *sums, int64_t step, const char *const *panels, const activation *x, int64_t group,
                      int64_t blocks);

#define DEFINE_TILE_OF(R, P, f)                                                                                        \
    static __attribute__((noinline)) void tile_##R##x##P##_##f(float *sums, int64_t step, const char *const *panels,   \
                                                               const activation *x, int64_t group, int64_t blocks) {   \
        tile(sums, step, panels, x, group, blocks, f, R, P);                                                           \
    }
#define DEFINE_TILE(R, P) DEFINE_TILE_OF(R, P, Q8_0) DEFINE_TILE_OF(R, P, Q4_0)
#define TILE(R, P)                                                                                                     \
    { tile_##R##x##P##_Q8_0, tile_##R##x##P##_Q4_0 }

DEFINE_TILE(1, 1)
DEFINE_TILE(2, 1)
DEFINE_TILE(3, 1)
DEFINE_TILE(4, 1)
DEFINE_TILE(1, 2)
DEFINE_TILE(2, 2)
DEFINE_TILE(3, 2)
DEFINE_TILE(4, 2)
#if TILE_ROWS == 16
DEFINE_TILE(5, 1)
DEFINE_TILE(6, 1)
DEFINE_TILE(7, 1)
DEFINE_TILE(8, 1)
DEFINE_TILE(9, 1)
DEFINE_TILE(10, 1)
DEFINE_TILE(11, 1)
DEFINE_TILE(12, 1)
DEFINE_TILE(13, 1)
DEFINE_TILE(14, 1)
DEFINE_TILE(15, 1)
DEFINE_TILE(16, 1)
DEFINE_TILE(5, 2)
DEFINE_TILE(6, 2)
DEFINE_TILE(7, 2)
DEFINE_TILE(8, 2)
static tile_run *const ONE_PANEL[TILE_ROWS][2] = {
    TILE(1, 1), TILE(2, 1),  TILE(3, 1),  TILE(4, 1),  TILE(5, 1),  TILE(6, 1),  TILE(7, 1),  TILE(8, 1),
    TILE(9, 1), TILE(10, 1), TILE(11, 1), TILE(12, 1), TILE(13, 1), TILE(14, 1), TILE(15, 1), TILE(16, 1)};
static tile_run *const TWO_PANELS[PAIR_ROWS][2] = {TILE(1, 2), TILE(2, 2), TILE(3, 2), TILE(4, 2),
                                                   TILE(5, 2), TILE(6, 2), TILE(7, 2), TILE(8, 2)};
#else
static tile_run *const ONE_PANEL[TILE_ROWS][2] = {TILE(1, 1), TILE(2, 1), TILE(3, 1), TILE(4, 1)};
static tile_run *const TWO_PANELS[PAIR_ROWS][2] = {TILE(1, 2), TILE(2, 2), TILE(3, 2), TILE(4, 2)};
#endif

// The sums of one row group with one or two panels: [panel][ROW_GROUP][PANEL_ROWS].
typedef struct {
    float panel[MOST_PANELS][ROW_GROUP * PANEL_ROWS];
} group_sums;

// Gives how many rows the group that begins at `row` has.
static int64_t multiply_group(group_sums *sums, const product *p, const char *const *panels, int count, int64_t row,
                              format f) {
    enum { STEP = ROW_GROUP * PANEL_ROWS };
    const activation *x = p->x + row * p->blocks;
    const int64_t group = group_rows(row, p->rows);
    for (int64_t r = 0, rows; r < group; r += rows) {
        float *to = sums->panel[0] + r * PANEL_ROWS;
        if (count == 2 && group <= PAIR_ROWS) {
            rows = group;
            TWO_PANELS[rows - 1][f](to, STEP, panels, x, group, p->blocks);
            continue;
        }
        rows = group - r < TILE_ROWS ? group - r : TILE_ROWS;
        for (int i = 0; i < count; i++) {
            ONE_PANEL[rows - 1][f](to + i * STEP, STEP, panels + i, x + r, group, p->blocks);
        }
    }
    return group;
}

// The first `cols` columns of sums, or with `up` gelu(sums) * up, to out.
static void store_group(float *out, int64_t out_stride, const float *sums, const float *up, int64_t rows,
                        int64_t cols) {
    for (int64_t r = 0; r < rows; r++, out += out_stride) {
        for (int64_t i = 0; i < PANEL_ROWS && i < cols; i += LANES) {
            vf v = load(sums + r * PANEL_ROWS + i);
            if (up) v = vgelu(v) * load(up + r * PANEL_ROWS + i);
            store_n(out + i, v, cols - i);
        }
    }
}

static int64_t panels_of(int64_t n) { return (n + PANEL_ROWS - 1) / PANEL_ROWS; }

// How many of panels of `bytes` stay in the cache.
static int64_t chunk_of(int64_t bytes) { return bytes < CHUNK_BYTES ? CHUNK_BYTES / bytes : 1; }

// Panels [from, to) of one matrix; for few rows the first half beside the second.
static void multiply_panels(float *out, int64_t out_stride, const product *p, const char *w, int64_t n, int64_t from,
                            int64_t to, format f) {
    const int64_t bytes = panel_bytes(p->blocks * BLOCK, f), chunk = chunk_of(bytes);
    const int64_t half = p->rows <= PAIR_ROWS ? (to - from + 1) / 2 : to - from;
    for (int64_t begin = from; begin < from + half; begin += chunk) {
        const int64_t end = begin + chunk < from + half ? begin + chunk : from + half;
        for (int64_t row = p->first; row < p->last; row += ROW_GROUP) {
            for (int64_t i = begin; i < end; i++) {
                const char *panels[MOST_PANELS] = {w + i * bytes, w + (i + half) * bytes};
                const int count = i + half < to ? 2 : 1;
                group_sums sums;
                int64_t rows = multiply_group(&sums, p, panels, count, row, f);
                for (int64_t j = 0, panel = i; j < count; j++, panel += half) {
                    store_group(out + row * out_stride + panel * PANEL_ROWS, out_stride, sums.panel[j], NULL, rows,
                                n - panel * PANEL_ROWS);
                }
            }
        }
    }
}

// Panels [from, to) of gate and of up.
static void multiply_geglu(float *out, int64_t out_stride, const product *p, const char *gate, const char *up,
                           int64_t n, int64_t from, int64_t to, format f) {
    const int64_t bytes = panel_bytes(p->blocks * BLOCK, f), chunk = chunk_of(2 * bytes);
    for (int64_t begin = from; begin < to; begin += chunk) {
        const int64_t end = begin + chunk < to ? begin + chunk : to;
        for (int64_t row = p->first; row < p->last; row += ROW_GROUP) {
            for (int64_t i = begin; i < end; i++) {
                const char *panels[MOST_PANELS] = {gate + i * bytes, up + i * bytes};
                group_sums sums;
                int64_t rows = multiply_group(&sums, p, panels, 2, row, f);
                store_group(out + row * out_stride + i * PANEL_ROWS, out_stride, sums.panel[0], sums.panel[1], rows,
                            n - i * PANEL_ROWS);
            }
        }
    }
}

// One matrix or several side by side, or with `up` gate and up.
typedef struct {
    const void *const *w;
    const int64_t *n;
    int64_t count;
    const void *up;
    int64_t panels; // of all outputs
} matrices;

// Panels [from, to) of the outputs.
static void multiply_list(float *out, int64_t out_stride, const product *p, const matrices *m, int64_t from, int64_t to,
                          format f) {
    for (int64_t i = 0, first = 0; i < m->count; out += m->n[i], first += panels_of(m->n[i]), i++) {
        int64_t begin = from > first ? from - first : 0;
        int64_t end = to - first < panels_of(m->n[i]) ? to - first : panels_of(m->n[i]);
        if (begin >= end) continue;
        if (m->up)
            multiply_geglu(out, out_stride, p, m->w[i], m->up, m->n[i], begin, end, f);
        else
            multiply_panels(out, out_stride, p, m->w[i], m->n[i], begin, end, f);
    }
}

// Into how many slices the rows are cut: one, unless the panels are too few to be shared evenly.
static int64_t slices_of(int64_t rows, int64_t panels) {
    enum { SHARES = 8, LEAST_ROWS = 4 * ROW_GROUP };
    int64_t wanted = (SHARES * omp_get_max_threads() + panels - 1) / panels, most = rows / LEAST_ROWS;
    return most < 1 ? 1 : wanted < most ? wanted : most;
}

// [from, to) of the panels of the first slice of rows, then of the next, and so on.
static void multiply_slices(float *out, int64_t out_stride, const product *p, const matrices *m, int64_t slices,
                            int64_t from, int64_t to, format f) {
    for (int64_t i = from / m->panels; i * m->panels < to; i++) {
        int64_t begin = from - i * m->panels, end = to - i * m->panels;
        span rows = team_share(p->rows, ROW_GROUP, (int)i, (int)slices);
        product slice = *p;
        slice.first = rows.begin;
        slice.last = rows.end;
        multiply_list(out, out_stride, &slice, m, begin > 0 ? begin : 0, end < m->panels ? end : m->panels, f);
    }
}

static void matmul(float *out, int64_t out_stride, const void *x, int64_t rows, int64_t k, const void *const *w,
                   const int64_t *n, int64_t count, const void *up, format f) {
    const product p = {x, rows, k / BLOCK, 0, rows};
    matrices m = {w, n, count, up, 0};
    for (int64_t i = 0; i < count; i++) m.panels += panels_of(n[i]);
    const int64_t slices = slices_of(rows, m.panels);
    // a nanosecond reads 16 bytes or multiplies 128 pairs
    const int64_t work = (up ? 2 : 1) * m.panels * p.blocks * (quants_bytes(f) / 16 + rows * 4);
    const int64_t grain = (LEAST_PART + panel_bytes(k, f) - 1) / panel_bytes(k, f);
    TEAM_TAKE(m.panels * slices, rows > ROW_GROUP ? 1 : grain, work, from, to,
              multiply_slices(out, out_stride, &p, &m, slices, from, to, f));
}

#define MATMUL_OF(suffix, f)                                                                                           \
    void TIER(gemma_matmul_##suffix)(float *out, int64_t out_stride, const void *x, const void *w, int64_t rows,       \
                                     int64_t n, int64_t k) {                                                           \
        matmul(out, out_stride, x, rows, k, &w, &n, 1, NULL, f);                                                       \
    }                                                                                                                  \
    void TIER(gemma_matmul_group_##suffix)(float *out, int64_t out_stride, const void *x, const void *const *w,        \
                                           const int64_t *n, int64_t count, int64_t rows, int64_t k) {                 \
        matmul(out, out_stride, x, rows, k, w, n, count, NULL, f);                                                     \
    }                                                                                                                  \
    void TIER(gemma_matmul_geglu_##suffix)(float *out, int64_t out_stride, const void *x, const void *gate,            \
                                           const void *up, int64_t rows, int64_t n, int64_t k) {                       \
        matmul(out, out_stride, x, rows, k, &gate, &n, 1, up, f);                                                      \
    }

MATMUL_OF(q8_0, Q8_0)
MATMUL_OF(q4_0, Q4_0)
