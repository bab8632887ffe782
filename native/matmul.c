// matmul: rows of quantized activations times weights in panels (panels.h), for any number of rows
//   out[r, o] = sum over blocks b of (x's scale * (w's scale * (sum over the block of x's q * w's value)))
//   also for several matrices side by side (group: Q, K, V) and for gelu(gate . x) * (up . x) (geglu)
// The inner sum is exact, in int32; the outer is in f32, block after block, whatever the tile. So an output has the
// same bits for any number of threads and of rows beside it. A few rows stream through whole panels. More are taken
// SLICE_ROWS at a time: a piece of the columns of some panels stays in the L2 cache for all of them, and one group's
// piece of activations in the L1 cache for all the panels.
// Threads split the panels, and many threads the rows too.
#include "block_dot.h"
#include "exp.h"
#include "team.h"

#define LINE_BYTES 64

// Panels that a slice of rows is multiplied by before the next ones, and the rows of a slice.
#define MOST_PANELS 16
#define SLICE_ROWS (4 * ROW_GROUP)

// Bytes of a group's activations that are multiplied by those panels before the next: they stay in the L1 cache.
#define PIECE_BYTES (24 << 10)

// Bytes of weights asked for ahead of the loads: the CPU's own prefetchers stop at pages of 4 KB and restart slowly.
// Measured from 1 to 8 KB: 2 KB reads a fifth faster than 4 KB.
#define AHEAD 2048

// Bytes of weights that a thread takes at least, when it waits for memory: as much as it reads in some microseconds.
#define LEAST_PART (64 << 10)

// Few rows wait for memory, and two panels that lie apart are read faster than one: up to PAIR_ROWS take two side by
// side.

#if LANES == 16
#define TILE_ROWS 16 // rows whose sums with one panel stay in registers
#define PAIR_ROWS 8  // with two
#define SIDE 4       // rows whose dots are taken side by side, because each waits for itself
#else
#define TILE_ROWS 4
#define PAIR_ROWS 4
#define SIDE (DOT_CUTS == 1 ? 1 : 4)
#endif

typedef struct {
    const activation *x;
    int64_t rows, blocks;
    int64_t first, last; // the rows to multiply: [first, last), first a multiple of ROW_GROUP
} product;

INLINE void prefetch_bytes(const char *p, int64_t bytes) {
    UNROLL for (int64_t i = 0; i < bytes; i += LINE_BYTES) __builtin_prefetch(p + i);
}

// One block of R rows, from x on, times one panel's.
INLINE void add_block(vf sums[][CUTS], const char *scales, const char *quants, const activation *x, format f, int R) {
    UNROLL for (int c = 0; c < CUTS; c += DOT_CUTS) {
        const weights w = unpack(quants, c, f);
        vf scale[DOT_CUTS], base[DOT_CUTS];
        UNROLL for (int d = 0; d < DOT_CUTS; d++) {
            scale[d] = load_as(scales, (c + d) * LANES, F16) * DOT_UNIT(f);
            base[d] = scale[d] * SUM_BASE;
        }
        UNROLL for (int r = 0; r < R; r += SIDE) {
            const int side = R - r < SIDE ? R - r : SIDE;
            vi dots[SIDE][DOT_CUTS];
            block_dots(dots, &w, activation_at(x, r, f), side, f);
            UNROLL for (int i = 0; i < side; i++) {
                const vf x_scale = splat(activation_at(x, r + i, f)->scale);
                UNROLL for (int d = 0; d < DOT_CUTS; d++) {
                    vf *sum = &sums[r + i][c + d];
                    *sum = multiply_add(weighted(dots[i][d], scale[d], base[d]), x_scale, *sum);
                    if (DOTS_FILL_REGISTERS) __asm__("" : "+m"(*sum));
                }
            }
        }
    }
}

// sums [R, PANEL_ROWS] per panel, `step` floats apart, += R rows of x, `group` activations from block to block, times P
// panels. from_memory: they are not in a cache yet.
INLINE void tile(float *sums, int64_t step, const char *const *panels, const activation *x, int64_t group,
                 int64_t blocks, int from_memory, format f, int R, int P) {
    const int64_t scales = PANEL_ROWS * 2, quants = quants_bytes(f);
    vf totals[2][TILE_ROWS][CUTS]; // [panel]
    const char *at[2];
    UNROLL for (int p = 0; p < P; p++) {
        at[p] = panels[p];
        UNROLL for (int r = 0; r < R; r++) {
            UNROLL for (int c = 0; c < CUTS; c++) {
                totals[p][r][c] = load(sums + p * step + r * PANEL_ROWS + c * LANES);
            }
        }
    }
    for (; blocks >= 2; blocks -= 2, x = activation_at(x, 2 * group, f)) {
        UNROLL for (int p = 0; p < P; p++) {
            if (from_memory) prefetch_bytes(at[p] + AHEAD, LINE_BYTES + quants);
            add_block(totals[p], at[p], at[p] + 2 * scales, x, f, R);
        }
        UNROLL for (int p = 0; p < P; p++) {
            if (from_memory) prefetch_bytes(at[p] + AHEAD + LINE_BYTES + quants, quants);
            add_block(totals[p], at[p] + scales, at[p] + 2 * scales + quants, activation_at(x, group, f), f, R);
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
                      int64_t blocks, int from_memory);

#define DEFINE_TILE_OF(R, P, f)                                                                                        \
    static __attribute__((noinline)) void tile_##R##x##P##_##f(float *sums, int64_t step, const char *const *panels,   \
                                                               const activation *x, int64_t group, int64_t blocks,     \
                                                               int from_memory) {                                      \
        tile(sums, step, panels, x, group, blocks, from_memory, f, R, P);                                              \
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

// The sums of a slice of rows with each of some panels.
typedef struct {
    float panel[MOST_PANELS][SLICE_ROWS * PANEL_ROWS];
} slice_sums;

enum { STEP = SLICE_ROWS * PANEL_ROWS };

static void clear(slice_sums *sums, int count, int64_t rows) {
    for (int i = 0; i < count; i++) memset(sums->panel[i], 0, (size_t)(rows * PANEL_ROWS) * sizeof(float));
}

// Up to PAIR_ROWS rows times one or two whole panels.
static void multiply_few(slice_sums *sums, const product *p, const char *const *panels, int count, format f) {
    clear(sums, count, p->rows);
    tile_run *run = count == 2 ? TWO_PANELS[p->rows - 1][f] : ONE_PANEL[p->rows - 1][f];
    run(sums->panel[0], STEP, panels, p->x, p->rows, p->blocks, 1);
}

// The group of rows at `row`, of a slice from `from_row` on, times the blocks [b, b + blocks) of the panels.
static void multiply_group(slice_sums *sums, const product *p, const char *const *panels, int count, int64_t row,
                           int64_t from_row, int64_t b, int64_t blocks, format f) {
    const int64_t group = group_rows(row, p->rows);
    const activation *x = activation_at(p->x, row * p->blocks + b * group, f);
    for (int i = 0; i < count; i++) {
        const char *panel = panels[i] + b / 2 * pair_bytes(f);
        float *to = sums->panel[i] + (row - from_row) * PANEL_ROWS;
        for (int64_t r = 0; r < group; r += TILE_ROWS) {
            const int64_t rows = group - r < TILE_ROWS ? group - r : TILE_ROWS;
            ONE_PANEL[rows - 1][f](to + r * PANEL_ROWS, STEP, &panel, activation_at(x, r, f), group, blocks,
                                   row + r == p->first);
        }
    }
}

// Rows [from, to), at most a slice, times some panels.
static void multiply_slice(slice_sums *sums, const product *p, const char *const *panels, int count, int64_t from,
                           int64_t to, format f) {
    clear(sums, count, to - from);
    const int64_t piece = PIECE_BYTES / (ROW_GROUP * activation_bytes(f)) / 2 * 2;
    for (int64_t b = 0; b < p->blocks; b += piece) {
        const int64_t blocks = p->blocks - b < piece ? p->blocks - b : piece;
        for (int64_t row = from; row < to; row += ROW_GROUP) {
            multiply_group(sums, p, panels, count, row, from, b, blocks, f);
        }
    }
}

// The first `cols` columns of sums, or with `up` gelu(sums) * up, to out.
static void store_sums(float *out, int64_t out_stride, const float *sums, const float *up, int64_t rows,
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

// A matrix of weights, n rows of it, and what its products are multiplied by if there is such a one.
typedef struct {
    const char *w, *up;
    int64_t n;
} matrix;

static const char *panel_at(const product *p, const char *w, int64_t panel, format f) {
    return w + panel * panel_bytes(p->blocks * BLOCK, f);
}

// A panel's part of the outputs of `rows` rows.
static void store_panel(float *out, int64_t out_stride, const matrix *m, int64_t panel, const float *sums,
                        const float *up, int64_t rows) {
    store_sums(out + panel * PANEL_ROWS, out_stride, sums, up, rows, m->n - panel * PANEL_ROWS);
}

// Few rows times panels [from, to): the first half beside the second, or gate beside up.
static void multiply_pairs(float *out, int64_t out_stride, const product *p, const matrix *m, int64_t from, int64_t to,
                           format f) {
    const int64_t half = m->up ? 0 : (to - from + 1) / 2, first = m->up ? to : from + half;
    for (int64_t i = from; i < first; i++) {
        const char *panels[2] = {panel_at(p, m->w, i, f), panel_at(p, m->up ? m->up : m->w, i + half, f)};
        const int count = m->up || i + half < to ? 2 : 1;
        slice_sums sums;
        multiply_few(&sums, p, panels, count, f);
        store_panel(out, out_stride, m, i, sums.panel[0], m->up ? sums.panel[1] : NULL, p->rows);
        if (!m->up && count == 2) store_panel(out, out_stride, m, i + half, sums.panel[1], NULL, p->rows);
    }
}

// The product's rows times panels [from, to).
static void multiply_panels(float *out, int64_t out_stride, const product *p, const matrix *m, int64_t from, int64_t to,
                            format f) {
    const int each = m->up ? 2 : 1;
    const int64_t most = MOST_PANELS / each;
    for (int64_t begin = from; begin < to; begin += most) {
        const int count = (int)(begin + most < to ? most : to - begin);
        const char *panels[MOST_PANELS];
        for (int i = 0; i < count; i++) {
            panels[i * each] = panel_at(p, m->w, begin + i, f);
            if (m->up) panels[i * each + 1] = panel_at(p, m->up, begin + i, f);
        }
        for (int64_t row = p->first; row < p->last; row += SLICE_ROWS) {
            const int64_t end = row + SLICE_ROWS < p->last ? row + SLICE_ROWS : p->last;
            slice_sums sums;
            multiply_slice(&sums, p, panels, count * each, row, end, f);
            for (int i = 0; i < count; i++) {
                store_panel(out + row * out_stride, out_stride, m, begin + i, sums.panel[i * each],
                            m->up ? sums.panel[i * each + 1] : NULL, end - row);
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
        const matrix one = {m->w[i], m->up, m->n[i]};
        (p->rows <= PAIR_ROWS ? multiply_pairs : multiply_panels)(out, out_stride, p, &one, begin, end, f);
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
