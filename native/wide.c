// wide: rows of activations in f32 times weights of any kind, widened exactly a few rows at a time
//   out[r, o] = sum_k x[r, k] * w[o, k]
//   for several matrices side by side (Q, K, V), and for gelu(gate . x) * (up . x)
// All sums in f32, over k in order: an output's bits depend neither on the threads nor on the rows beside it. Some
// outputs' weights are widened for a piece of the columns and stay in the L2 cache for a slice of rows, whose strips
// (wide.h) pass through the L1 cache. Threads take the outputs, and slices of rows where outputs are few.
#include "exp.h"
#include "team.h"
#include "transpose.h"
#include "wide.h"

#include <omp.h>

// Outputs whose sums with a strip of two vectors, or of one, fit the registers.
#if LANES == 16
#define TWO_VECTORS 12
#else
#define TWO_VECTORS 6
#endif
#define ONE_VECTOR 12

#define UNIT 12 // outputs that are taken together
#define LINE LINE_COLUMNS // floats of a cache line

// ---- rows ----------------------------------------------------------------------------------------------------------

// Columns [from, to) of strip s, a cache line of each row after the other.
static void lay_strip(float *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols, int64_t s,
                      int64_t from, int64_t to) {
    const int64_t width = strip_vectors(s, rows) * LANES, left = rows - s * STRIP_ROWS;
    const int64_t count = left < width ? left : width;
    float *strip = out + s * STRIP_ROWS * cols;
    if (count < width) memset(strip + from * width, 0, (size_t)((to - from) * width) * sizeof *strip);
    int64_t r = 0;
    for (; r + TRANSPOSED <= count; r += TRANSPOSED) {
        const float *eight[TRANSPOSED];
        for (int64_t i = 0; i < TRANSPOSED; i++) eight[i] = in + (s * STRIP_ROWS + r + i) * in_stride + from;
        rows_to_columns(strip + from * width + r, width, eight, to - from);
    }
    for (; r < count; r++) {
        const float *row = in + (s * STRIP_ROWS + r) * in_stride;
        for (int64_t c = from; c < to; c++) strip[c * width + r] = row[c];
    }
}

void TIER(gemma_wide_rows_f32)(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols) {
    const int64_t pieces = (cols + PIECE - 1) / PIECE;
    TEAM_EACH(strips_of(rows) * pieces, rows * cols, i, const int64_t from = i % pieces * PIECE;
              lay_strip(out, in, in_stride, rows, cols, i / pieces, from, from + PIECE < cols ? from + PIECE : cols));
}

// ---- products ------------------------------------------------------------------------------------------------------

// What a tile asks for while it computes: of a strip that is multiplied next, and of weights that are widened next,
// whose rows are those of the tile; NULL: nothing.
typedef struct {
    const float *strip;
    weight_place weights;
} ahead;

// sums [T outputs][V vectors] += x [cols][V vectors] times w, whose rows are a PIECE apart. Asks for the weights of the
// next T outputs too, which the L2 cache has.
INLINE void tile(float *sums, const float *x, const float *w, int64_t cols, const ahead *next, int V, int T) {
    vf totals[ONE_VECTOR][STRIP_VECTORS];
    UNROLL for (int t = 0; t < T; t++) {
        UNROLL for (int v = 0; v < V; v++) totals[t][v] = load(sums + (t * V + v) * LANES);
    }
    const char *stored = next->weights.first;
    for (int64_t from = 0; from < cols; from += LINE) {
        const int64_t to = from + LINE < cols ? from + LINE : cols;
        UNROLL for (int t = 0; t < T; t++) __builtin_prefetch(w + (T + t) * PIECE + from);
        __builtin_prefetch(next->strip + from);
        if (stored) {
            UNROLL for (int t = 0; t < T; t++) __builtin_prefetch(stored + t * next->weights.row);
            stored += next->weights.column;
        }
        // fewer instructions besides the products: a tenth of the time where another program has the core's other half
        UNROLL_FOUR for (int64_t c = from; c < to; c++) {
            vf xs[STRIP_VECTORS];
            UNROLL for (int v = 0; v < V; v++) xs[v] = load(x + (c * V + v) * LANES);
            UNROLL for (int t = 0; t < T; t++) {
                const vf weight = splat(w[t * PIECE + c]);
                UNROLL for (int v = 0; v < V; v++) totals[t][v] = multiply_add(xs[v], weight, totals[t][v]);
            }
        }
    }
    UNROLL for (int t = 0; t < T; t++) {
        UNROLL for (int v = 0; v < V; v++) store(sums + (t * V + v) * LANES, totals[t][v]);
    }
}

static __attribute__((noinline)) void two_vectors(float *sums, const float *x, const float *w, int64_t cols,
                                                  const ahead *next) {
    tile(sums, x, w, cols, next, 2, TWO_VECTORS);
}

static __attribute__((noinline)) void one_vector(float *sums, const float *x, const float *w, int64_t cols,
                                                 const ahead *next) {
    tile(sums, x, w, cols, next, 1, ONE_VECTOR);
}

typedef struct {
    float *out;
    int64_t out_stride;
    float *strips; // instead of out: the outputs as rows of another product
    const float *x;
    int64_t rows, k;
    const weight_matrix *matrices; // side by side, or gate and up
    int64_t count, units;
    int geglu;
} product;

// Up to UNIT outputs of one matrix, or of gate and of up.
typedef struct {
    const weight_matrix *matrix;
    int64_t first, count;
    int64_t column; // of out
} unit;

static int64_t units_of(const weight_matrix *m) { return (m->n + UNIT - 1) / UNIT; }

static unit unit_at(const product *p, int64_t i) {
    const weight_matrix *m = p->matrices;
    int64_t column = 0;
    for (; !p->geglu && i >= units_of(m); m++) i -= units_of(m), column += m->n;
    const int64_t first = i * UNIT, left = m->n - first;
    return (unit){m, first, left < UNIT ? left : UNIT, column + first};
}

// How many units of weights a product takes for one of outputs.
static int parts_of(const product *p) { return p->geglu ? 2 : 1; }

// The rows of a unit's part for a piece of the columns; what is behind the last is 0.
static void widen_unit(float (*to)[PIECE], const weight_matrix *m, const unit *u, int64_t from, int64_t cols) {
    for (int64_t i = 0; i < u->count; i++) weight_row(to[i], m, u->first + i, from, cols);
    for (int64_t i = u->count; i < UNIT; i++) memset(to[i], 0, (size_t)cols * sizeof(float));
}

// Outputs of one unit: weights of one matrix. next: the strip behind this one, and the weights of the next piece.
static void multiply_unit(float *sums, const float *x, const float *w, int64_t cols, int64_t V, ahead next) {
    const int step = V == STRIP_VECTORS ? TWO_VECTORS : ONE_VECTOR;
    const char *stored = next.weights.first;
    for (int64_t o = 0; o < UNIT; o += step) {
        if (stored) next.weights.first = stored + o * next.weights.row;
        (V == STRIP_VECTORS ? two_vectors : one_vector)(sums + o * V * LANES, x, w + o * PIECE, cols, &next);
        next.strip += cols;
    }
}

// A unit's outputs [output][width] of strip s to where they belong.
static void store_unit(const product *p, const unit *u, const float *sums, int64_t s, int64_t width) {
    if (p->strips) {
        float *to = p->strips + s * STRIP_ROWS * p->matrices->n + u->first * width;
        memcpy(to, sums, (size_t)(u->count * width) * sizeof *sums);
        return;
    }
    const int64_t row = s * STRIP_ROWS, rows = p->rows - row < width ? p->rows - row : width;
    for (int64_t r = 0; r < rows; r++) {
        float *to = p->out + (row + r) * p->out_stride + u->column;
        for (int64_t o = 0; o < u->count; o++) to[o] = sums[o * width + r];
    }
}

// The weights of a unit that are widened next: of the same one from column `from` on, or behind the last column of the
// one `count` further on.
static weight_place next_weights(const product *p, int64_t i, int64_t count, int part, int64_t from) {
    const int again = from < p->k;
    if (!again && i + count >= p->units) return (weight_place){0};
    const unit u = unit_at(p, again ? i : i + count);
    return place_of(u.matrix + part, u.first, again ? from : 0);
}

// Columns [c, c + cols) of units [from, to) times strip s of those from `first` on.
static void multiply_strip(const product *p, wide_scratch *work, int64_t first, int64_t s, int64_t from, int64_t to,
                           int64_t c, int64_t cols) {
    const int parts = parts_of(p);
    const int64_t V = strip_vectors(s, p->rows), outputs = (to - from) * parts * UNIT;
    float *sums = work->sums + (s - first) * outputs * STRIP_ROWS;
    for (int64_t done = 0; done < cols; done += INNER) {
        const int64_t inner = cols - done < INNER ? cols - done : INNER;
        const float *x = p->x + s * STRIP_ROWS * p->k + (c + done) * V * LANES;
        for (int64_t i = 0; i < (to - from) * parts; i++) {
            ahead next = {x + STRIP_ROWS * p->k + i * (UNIT / TWO_VECTORS) * inner, {0}};
            if (s == first) {
                next.weights = next_weights(p, from + i / parts, to - from, (int)(i % parts), c + PIECE);
                if (next.weights.first) next.weights.first += done / LINE * next.weights.column;
            }
            multiply_unit(sums + i * UNIT * V * LANES, x, work->weights[i * UNIT] + done, inner, V, next);
        }
    }
}

// Units [from, to), as many as the scratch has room for, times the strips of a slice.
static void multiply_units(const product *p, wide_scratch *work, span strips, int64_t from, int64_t to) {
    const int parts = parts_of(p);
    const int64_t outputs = (to - from) * parts * UNIT;
    memset(work->sums, 0, (size_t)((strips.end - strips.begin) * outputs * STRIP_ROWS) * sizeof(float));
    for (int64_t c = 0; c < p->k; c += PIECE) {
        const int64_t cols = p->k - c < PIECE ? p->k - c : PIECE;
        for (int64_t i = from; i < to; i++) {
            const unit u = unit_at(p, i);
            for (int part = 0; part < parts; part++) {
                widen_unit(work->weights + ((i - from) * parts + part) * UNIT, u.matrix + part, &u, c, cols);
            }
        }
        for (int64_t s = strips.begin; s < strips.end; s++) {
            multiply_strip(p, work, strips.begin, s, from, to, c, cols);
        }
    }
    for (int64_t s = strips.begin; s < strips.end; s++) {
        const int64_t width = strip_vectors(s, p->rows) * LANES;
        for (int64_t i = from; i < to; i++) {
            const unit u = unit_at(p, i);
            float *sums = work->sums + (s - strips.begin) * outputs * STRIP_ROWS + (i - from) * parts * UNIT * width;
            if (p->geglu) geglu_row(sums, sums, sums + UNIT * width, UNIT * width);
            store_unit(p, &u, sums, s, width);
        }
    }
}

// What each thread takes at least, if there is so much, so that all end together.
#define SHARES 4

// Into how many parts the strips are cut: one, unless the units are too few to be shared evenly.
static int64_t parts_of_rows(const product *p) {
    const int64_t strips = strips_of(p->rows), most = (strips + 3) / 4;
    const int64_t wanted = (SHARES * omp_get_max_threads() + p->units - 1) / p->units;
    return wanted < most ? wanted : most;
}

// Units whose weights wait together in the L2 cache; of few rows each is multiplied while the L1 cache has it.
static int64_t most_units(const product *p) {
    return strips_of(p->rows) <= 2 ? 1 : MOST_OUTPUTS / UNIT / parts_of(p);
}

// [from, to) of the units of the first part of the rows, then of the next, and so on.
static void multiply_parts(const product *p, wide_scratch *work, int64_t parts, int64_t from, int64_t to) {
    const int64_t most = most_units(p), slice = SLICE_ROWS / STRIP_ROWS;
    while (from < to) {
        const int64_t part = from / p->units, begin = from % p->units, left = p->units - begin;
        int64_t count = to - from < most ? to - from : most;
        if (count > left) count = left;
        const span strips = team_share(strips_of(p->rows), 1, (int)part, (int)parts);
        for (int64_t s = strips.begin; s < strips.end; s += slice) {
            multiply_units(p, work, (span){s, s + slice < strips.end ? s + slice : strips.end}, begin, begin + count);
        }
        from += count;
    }
}

static void multiply(const product *p, void *work) {
    const int64_t parts = parts_of_rows(p), most = MOST_OUTPUTS / UNIT / parts_of(p);
    const int64_t share = parts * p->units / (SHARES * omp_get_max_threads());
    const int64_t grain = share < 1 ? 1 : share < most ? share : most;
    TEAM_TAKE(p->units * parts, grain, p->rows * p->units * UNIT * p->k / 32, from, to,
              multiply_parts(p, (wide_scratch *)work + omp_get_thread_num(), parts, from, to));
}

void TIER(gemma_matmul_wide)(float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *kinds,
                             const int64_t *strides, const int64_t *n, int64_t count, int64_t rows, int64_t k,
                             void *work) {
    weight_matrix matrices[GEMMA_MAX_MATRICES];
    product p = {out, out_stride, NULL, x, rows, k, matrices, count, 0, 0};
    for (int64_t i = 0; i < count; i++) {
        matrices[i] = (weight_matrix){w[i], kinds[i], strides[i], n[i], k};
        p.units += units_of(&matrices[i]);
    }
    multiply(&p, work);
}

void TIER(gemma_matmul_wide_geglu)(float *out, int64_t out_stride, void *strips, const void *x, const void *gate,
                                   int32_t gate_kind, int64_t gate_stride, const void *up, int32_t up_kind,
                                   int64_t up_stride, int64_t rows, int64_t n, int64_t k, void *work) {
    const weight_matrix matrices[2] = {{gate, gate_kind, gate_stride, n, k}, {up, up_kind, up_stride, n, k}};
    const product p = {out, out_stride, strips, x, rows, k, matrices, 2, units_of(matrices), 1};
    multiply(&p, work);
}
