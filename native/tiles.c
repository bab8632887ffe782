// tiles: rows of activations rounded to bf16 times weights of any kind, widened or rounded to bf16 a few panels at a
// time, by matrix instructions
//   out[r, o] = sum_k bf16(x[r, k]) * bf16(w[o, k]), sums in f32
//   for several matrices side by side (Q, K, V), and for gelu(gate . x) * (up . x)
// The tiles of a pair of panels are made once and stay in the first-level cache while all the rows' tiles of the same
// columns stream past them from the L2 cache. Sums of more columns than that are kept between the passes. The order of
// an output's sum depends on k alone, so its bits do not depend on the threads nor on the rows beside it. Threads take
// pairs of panels, and slices of rows where there are many.
#include "exp.h"
#include "team.h"
#include "tile_weights.h"

#include <omp.h>

// ---- rows ----------------------------------------------------------------------------------------------------------

void TIER(gemma_tile_rows_f32)(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols) {
    const int64_t steps = tile_steps(cols);
    TEAM_EACH(tile_groups(rows) * steps, rows * cols / 8, i, const int64_t row = i / steps * TILE_ROWS;
              const int64_t col = i % steps * TILE_COLS;
              row_tile((char *)out + i * TILE_BYTES, in + row * in_stride + col, in_stride, rows - row, cols - col));
}

// ---- matrices ------------------------------------------------------------------------------------------------------

typedef struct {
    float *out;
    int64_t out_stride;
    char *tiles; // instead of out: the outputs as rows of another product
    const char *x;
    int64_t rows, steps;
    const weight_matrix *matrices; // side by side, or gate and up
    int64_t count, pairs;
    int geglu;
    int64_t pass; // steps of one pass
} product;

// Two panels that are multiplied together: neighbours in one matrix, or the same one of gate and of up.
typedef struct {
    const weight_matrix *matrix[2];
    int64_t panel[2];
    float *out; // of the first row
    int64_t cols;
} pair;

static int64_t panels_of(const weight_matrix *m) { return (m->n + PANEL_ROWS - 1) / PANEL_ROWS; }

static int64_t pairs_of(const weight_matrix *m) { return (panels_of(m) + 1) / 2; }

static pair pair_at(const product *p, int64_t i) {
    const weight_matrix *m = p->matrices;
    if (p->geglu) return (pair){{m, m + 1}, {i, i}, p->out + i * PANEL_ROWS, m->n - i * PANEL_ROWS};
    float *out = p->out;
    for (; i >= pairs_of(m); m++) i -= pairs_of(m), out += m->n;
    return (pair){{m, m}, {2 * i, 2 * i + 1}, out + 2 * i * PANEL_ROWS, m->n - 2 * i * PANEL_ROWS};
}

static void make_weights(tiles_scratch *to, const pair *two, int64_t step, int64_t steps) {
    for (int i = 0; i < 2; i++) {
        weight_tiles(to->weights[0][i], 2 * TILE_BYTES, two->matrix[i], two->panel[i], step, steps, to->rows);
    }
}

// The sums of one group of rows, from row `row` on, to out.
static void store_sums(const product *p, const pair *two, float (*sums)[SUMS], int64_t row) {
    const int64_t rows = p->rows - row < TILE_ROWS ? p->rows - row : TILE_ROWS;
    for (int64_t r = 0; r < rows; r++) {
        float *out = two->out + (row + r) * p->out_stride;
        for (int64_t o = 0; o < PANEL_ROWS && o < two->cols; o += LANES) {
            vf one = load(sums[0] + r * PANEL_ROWS + o), other = load(sums[1] + r * PANEL_ROWS + o);
            store_n(out + o, p->geglu ? vgelu(one) * other : one, two->cols - o);
            if (!p->geglu && o + PANEL_ROWS < two->cols) {
                store_n(out + PANEL_ROWS + o, other, two->cols - PANEL_ROWS - o);
            }
        }
    }
}

// gelu(gate) * up of one group as half a tile of rows; behind the last row and output the sums are 0.
static void store_tile(const product *p, const pair *two, float (*sums)[SUMS], int64_t row) {
    const int64_t output = two->panel[0] * PANEL_ROWS, steps = tile_steps(two->matrix[0]->n);
    char *tile = p->tiles + (row / TILE_ROWS * steps + output / TILE_COLS) * TILE_BYTES + output % TILE_COLS * 2;
    for (int64_t r = 0; r < TILE_ROWS; r++, tile += TILE_COLS * 2) {
        for (int64_t o = 0; o < PANEL_ROWS; o += LANES) {
            vf gate = load(sums[0] + r * PANEL_ROWS + o), up = load(sums[1] + r * PANEL_ROWS + o);
            vh half = narrow_bf16(vgelu(gate) * up);
            memcpy(tile + o * 2, &half, sizeof half);
        }
        // an odd number of panels leaves half a step
        if (output % TILE_COLS == 0 && output + PANEL_ROWS >= two->matrix[0]->n)
            memset(tile + PANEL_ROWS * 2, 0, PANEL_ROWS * 2);
    }
}

// Pairs [from, to), at most MOST_PAIRS, times the row groups of a slice.
static void multiply_pairs(const product *p, tiles_scratch *work, span groups, int64_t from, int64_t to) {
    const int64_t group_bytes = p->steps * TILE_BYTES, count = groups.end - groups.begin;
    for (int64_t step = 0, steps; step < p->steps; step += steps) {
        steps = p->steps - step < p->pass ? p->steps - step : p->pass;
        for (int64_t i = from; i < to; i++) {
            const pair two = pair_at(p, i);
            make_weights(work, &two, step, steps);
            for (int64_t g = 0; g < count; g += 2) {
                float(*sums)[2][SUMS] = work->sums[i - from] + g;
                const int both = g + 1 < count ? 2 : 1;
                multiply_tiles(sums, p->x + (groups.begin + g) * group_bytes + step * TILE_BYTES, group_bytes, both,
                               work->weights, steps, step == 0);
                for (int j = 0; j < both && step + steps == p->steps; j++) {
                    const int64_t row = (groups.begin + g + j) * TILE_ROWS;
                    if (p->tiles)
                        store_tile(p, &two, sums[j], row);
                    else
                        store_sums(p, &two, sums[j], row);
                }
            }
        }
    }
}

// What each thread takes at least, if there is so much, so that all end together.
#define SHARES 3

// Slices of the rows' groups: as few as fit, more where the pairs alone are too few to be shared evenly.
static int64_t slices_of(const product *p) {
    enum { LEAST_GROUPS = 4 };
    const int64_t groups = tile_groups(p->rows), least = (groups + SLICE_GROUPS - 1) / SLICE_GROUPS;
    const int64_t wanted = (SHARES * omp_get_max_threads() + p->pairs - 1) / p->pairs, most = groups / LEAST_GROUPS;
    const int64_t more = wanted < most ? wanted : most;
    return more > least ? more : least;
}

// [from, to) of the pairs of the first slice of rows, then of the next, and so on.
static void multiply_slices(const product *p, tiles_scratch *work, int64_t slices, int64_t from, int64_t to) {
    begin_tiles();
    while (from < to) {
        const int64_t slice = from / p->pairs, begin = from % p->pairs, left = p->pairs - begin;
        int64_t count = to - from < MOST_PAIRS ? to - from : MOST_PAIRS;
        if (count > left) count = left;
        span groups = team_share(tile_groups(p->rows), 1, (int)slice, (int)slices);
        multiply_pairs(p, work, groups, begin, begin + count);
        from += count;
    }
    end_tiles();
}

static void multiply(product *p, void *work) {
    const int64_t passes = (p->steps + MOST_STEPS - 1) / MOST_STEPS;
    p->pass = (p->steps + passes - 1) / passes;
    for (int64_t i = 0; i < p->count; i++) {
        if (p->matrices[i].kind >= GEMMA_WEIGHTS_BLOCKS) p->pass = WHOLE_STEPS;
    }
    // pairs side by side share the tiles of the rows
    const int64_t slices = slices_of(p), share = slices * p->pairs / (SHARES * omp_get_max_threads());
    const int64_t grain = share < 1 ? 1 : share < MOST_PAIRS ? share : MOST_PAIRS;
    const int64_t nanoseconds = p->rows * p->pairs * p->steps;
    TEAM_TAKE(p->pairs * slices, grain, nanoseconds, from, to,
              multiply_slices(p, (tiles_scratch *)work + omp_get_thread_num(), slices, from, to));
}

void TIER(gemma_matmul_tiles)(float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *kinds,
                              const int64_t *strides, const int64_t *n, int64_t count, int64_t rows, int64_t k,
                              void *work) {
    weight_matrix matrices[GEMMA_MAX_MATRICES];
    product p = {out, out_stride, NULL, x, rows, tile_steps(k), matrices, count, 0, 0, 0};
    for (int64_t i = 0; i < count; i++) {
        matrices[i] = (weight_matrix){w[i], kinds[i], strides[i], n[i], k};
        p.pairs += pairs_of(&matrices[i]);
    }
    multiply(&p, work);
}

void TIER(gemma_matmul_tiles_geglu)(float *out, int64_t out_stride, void *tiles, const void *x, const void *gate,
                                    int32_t gate_kind, int64_t gate_stride, const void *up, int32_t up_kind,
                                    int64_t up_stride, int64_t rows, int64_t n, int64_t k, void *work) {
    const weight_matrix matrices[2] = {{gate, gate_kind, gate_stride, n, k}, {up, up_kind, up_stride, n, k}};
    product p = {out, out_stride, tiles, x, rows, tile_steps(k), matrices, 2, panels_of(matrices), 1, 0};
    multiply(&p, work);
}
