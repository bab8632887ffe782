// attend_wide: attention of many queries of one sequence in f32
//   out[i, h] = sum_j p[i, j] v[j, h'],  p = softmax over begin[i] <= j < end[i] of softcap(q[i, h] . k[j, h'])
// Vectors run along queries, whatever the CPU's width: a strip is QUERIES of them, those of all heads that share keys
// and of consecutive rows, [head_dim][query]. A key's and a value's elements are then one number for all of them, and a
// score's neighbours stand in the same vector from its products to its softmax. Of KEYS keys at a time the scores wait
// in the L1 cache; between those, each query keeps its largest score, the sum of its exponentials and what is mixed so
// far (online softmax: Milakov and Gimelshein 2018). Keys that no query of a strip sees are never touched.
#include "attend_rows.h"
#include "attend_wide.h"
#include "softcap.h"
#include "team.h"
#include "transpose.h"

// A strip: two vectors, at least TRANSPOSED queries.
enum { V = 2, QUERIES = V * LANES };

typedef struct {
    int64_t from, to;           // keys that one of the queries sees
    int64_t all_from, all_to;   // and that every one sees
    int32_t begin[QUERIES], end[QUERIES];
    float largest[QUERIES], total[QUERIES];
    float *queries, *mixed; // [head_dim][QUERIES]
} strip;

// What one thread works in.
typedef struct {
    strip strips[ATTEND_STRIPS];
    float scores[ATTEND_KEYS * QUERIES]; // [key][QUERIES]
    float *keys, *values;                // [ATTEND_KEYS][head_dim], of such as are not stored in f32
} workplace;
_Static_assert(sizeof(workplace) <= ATTEND_FIXED_BYTES, "attend_wide.h has room for a workplace");

// ---- products ------------------------------------------------------------------------------------------------------

// sums [T][V] = sums * scale + sum_c x[c][V] * w[t, c], whose elements are w[t * w_row + c * w_col]; scale NULL: 1, and
// `fresh`: of sums 0.
INLINE void tile(float *sums, const float *scale, const float *x, const float *w, int64_t w_row, int64_t w_col,
                 int64_t cols, int fresh, int T) {
    vf totals[12][V];
    UNROLL for (int t = 0; t < T; t++) {
        UNROLL for (int v = 0; v < V; v++) {
            totals[t][v] = fresh ? splat(0) : load(sums + t * QUERIES + v * LANES);
            if (scale) totals[t][v] *= load(scale + v * LANES);
        }
    }
    UNROLL_FOUR for (int64_t c = 0; c < cols; c++) {
        vf xs[V];
        UNROLL for (int v = 0; v < V; v++) xs[v] = load(x + c * QUERIES + v * LANES);
        UNROLL for (int t = 0; t < T; t++) {
            const vf weight = splat(w[t * w_row + c * w_col]);
            UNROLL for (int v = 0; v < V; v++) totals[t][v] = multiply_add(xs[v], weight, totals[t][v]);
        }
    }
    UNROLL for (int t = 0; t < T; t++) {
        UNROLL for (int v = 0; v < V; v++) store(sums + t * QUERIES + v * LANES, totals[t][v]);
    }
}

#define DEFINE_TILES(T)                                                                                                \
    static __attribute__((noinline)) void score_##T(float *scores, const float *queries, const float *keys,            \
                                                    int64_t row, int64_t head_dim) {                                   \
        tile(scores, NULL, queries, keys, row, 1, head_dim, 1, T);                                                     \
    }                                                                                                                  \
    static __attribute__((noinline)) void mix_##T(float *mixed, const float *scale, const float *weights,              \
                                                  const float *values, int64_t row, int64_t keys) {                    \
        if (scale)                                                                                                     \
            tile(mixed, scale, weights, values, 1, row, keys, 0, T);                                                   \
        else                                                                                                           \
            tile(mixed, NULL, weights, values, 1, row, keys, 0, T);                                                    \
    }
#if LANES == 16
#define MOST_TILE 12
DEFINE_TILES(12)
#define score_most score_12
#define mix_most mix_12
#else
#define MOST_TILE 6
DEFINE_TILES(6)
#define score_most score_6
#define mix_most mix_6
#endif
DEFINE_TILES(4)
DEFINE_TILES(1)

// Scores of all queries of a strip with n keys, `row` elements apart.
static void score_keys(float *scores, const float *queries, const float *keys, int64_t row, int64_t n,
                       int64_t head_dim) {
    int64_t j = 0;
    for (; j + MOST_TILE <= n; j += MOST_TILE) score_most(scores + j * QUERIES, queries, keys + j * row, row, head_dim);
    for (; j + 4 <= n; j += 4) score_4(scores + j * QUERIES, queries, keys + j * row, row, head_dim);
    for (; j < n; j++) score_1(scores + j * QUERIES, queries, keys + j * row, row, head_dim);
}

// mixed = mixed * scale + the values of n keys, `row` elements apart, by their weights.
static void mix_values(float *mixed, const float *scale, const float *weights, const float *values, int64_t row,
                       int64_t n, int64_t head_dim) {
    int64_t d = 0;
    for (; d + MOST_TILE <= head_dim; d += MOST_TILE) mix_most(mixed + d * QUERIES, scale, weights, values + d, row, n);
    for (; d + 4 <= head_dim; d += 4) mix_4(mixed + d * QUERIES, scale, weights, values + d, row, n);
    for (; d < head_dim; d++) mix_1(mixed + d * QUERIES, scale, weights, values + d, row, n);
}

// ---- keys ----------------------------------------------------------------------------------------------------------

// Keys [from, to) and their values, `row` elements apart.
typedef struct {
    int64_t from, to, row;
    const float *keys, *values;
} key_run;

// Where keys [from, to) lie: in one or two runs of the ring, or widened.
static int key_runs(key_run *runs, const row_attention *a, const workplace *work, int64_t kv_head, int64_t from,
                    int64_t to) {
    int count = 0;
    for (int64_t key = from, end; key < to; key = end, count++) {
        const int64_t slot = (a->first_slot + key) % a->slots, at = slot_of(a, kv_head, key);
        end = to - key < a->slots - slot ? to : key + a->slots - slot;
        if (a->type == F32) {
            runs[count] = (key_run){key, end, a->kv_row, (const float *)a->k + at, (const float *)a->v + at};
            continue;
        }
        for (int64_t i = key; i < end; i++) {
            const int64_t row = at + (i - key) * a->kv_row, into = (i - from) * a->head_dim;
            widen_halves(work->keys + into, (const uint16_t *)a->k + row, a->head_dim, BF16);
            widen_halves(work->values + into, (const uint16_t *)a->v + row, a->head_dim, BF16);
        }
    }
    if (a->type == F32) return count;
    runs[0] = (key_run){from, to, a->head_dim, work->keys, work->values};
    return 1;
}

// ---- queries -------------------------------------------------------------------------------------------------------

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

// Query i of those that share a KV head's keys: a row, then a head of it. Behind the last one stands the last one.
typedef struct {
    int64_t row, head;
} query;

static query query_at(const row_attention *a, int64_t kv_head, int64_t i) {
    const int64_t group = a->heads / a->kv_heads, last = a->rows * group - 1;
    i = least(i, last);
    return (query){i / group, kv_head * group + i % group};
}

static void begin_strip(strip *s, const row_attention *a, int64_t kv_head, int64_t first) {
    const float *rows[QUERIES];
    s->from = s->all_to = a->count;
    s->to = s->all_from = 0;
    for (int64_t i = 0; i < QUERIES; i++) {
        const query one = query_at(a, kv_head, first + i);
        const int64_t begin = a->begin[one.row], end = a->end[one.row];
        s->begin[i] = (int32_t)begin;
        s->end[i] = (int32_t)end;
        s->all_from = most(s->all_from, begin);
        s->all_to = least(s->all_to, end);
        if (begin < end) s->from = least(s->from, begin), s->to = most(s->to, end);
        s->largest[i] = -3e38f; // finite, so that what is not visible is nothing beside it
        s->total[i] = 0;
        rows[i] = a->q + one.row * a->q_row + one.head * a->q_head;
    }
    for (int64_t i = 0; i < QUERIES; i += TRANSPOSED) {
        rows_to_columns(s->queries + i, QUERIES, rows + i, a->head_dim);
    }
    memset(s->mixed, 0, (size_t)(a->head_dim * QUERIES) * sizeof(float));
}

// Scores of keys [from, to), the first of them at `scores`, into weights not yet divided by their sum; scale: what is
// mixed so far is worth now.
static void weigh(strip *s, float *scores, float *scale, int64_t from, int64_t to, float cap) {
    const int masked = from < s->all_from || to > s->all_to;
    const float inverse = 1 / cap;
    for (int v = 0; v < V; v++) {
        float *first = scores + v * LANES, *largest = s->largest + v * LANES, *total = s->total + v * LANES;
        vi begin, end;
        memcpy(&begin, s->begin + v * LANES, sizeof begin);
        memcpy(&end, s->end + v * LANES, sizeof end);
        vf old = load(largest), high = old;
        for (int64_t j = from; j < to; j++) {
            float *at = first + (j - from) * QUERIES;
            vf x = load(at);
            if (cap > 0) x = vtanh(x * inverse) * cap;
            if (masked) x = blend((begin <= (int32_t)j) & (end > (int32_t)j), x, splat(-INFINITY));
            store(at, x);
            high = vmax(x, high);
        }
        const vf worth = vexp(old - high);
        vf sum = load(total) * worth;
        for (int64_t j = from; j < to; j++) {
            float *at = first + (j - from) * QUERIES;
            const vf p = vexp(load(at) - high);
            store(at, p);
            sum += p;
        }
        store(largest, high);
        store(total, sum);
        store(scale + v * LANES, worth);
    }
}

static void attend_keys(strip *s, const row_attention *a, float *scores, const key_run *runs, int count) {
    const int64_t from = most(s->from, runs[0].from), to = least(s->to, runs[count - 1].to);
    float scale[QUERIES];
    if (from >= to) return;
    for (int i = 0; i < count; i++) {
        const int64_t first = most(from, runs[i].from), n = least(to, runs[i].to) - first;
        const float *keys = runs[i].keys + (first - runs[i].from) * runs[i].row;
        score_keys(scores + (first - from) * QUERIES, s->queries, keys, runs[i].row, n, a->head_dim);
    }
    weigh(s, scores, scale, from, to, a->cap);
    for (int i = 0, done = 0; i < count; i++) {
        const int64_t first = most(from, runs[i].from), n = least(to, runs[i].to) - first;
        const float *values = runs[i].values + (first - runs[i].from) * runs[i].row;
        if (n <= 0) continue;
        mix_values(s->mixed, done++ ? NULL : scale, scores + (first - from) * QUERIES, values, runs[i].row, n,
                   a->head_dim);
    }
}

static void end_strip(const strip *s, const row_attention *a, int64_t kv_head, int64_t first) {
    // the last query again behind the last one
    for (int64_t i = 0; i < QUERIES; i += TRANSPOSED) {
        float *rows[TRANSPOSED], factors[TRANSPOSED];
        for (int64_t j = 0; j < TRANSPOSED; j++) {
            const query one = query_at(a, kv_head, first + i + j);
            const float total = s->total[i + j];
            rows[j] = a->out + one.row * a->out_row + one.head * a->out_head;
            factors[j] = total > 0 ? 1 / total : total;
        }
        columns_to_rows(rows, s->mixed + i, QUERIES, factors, a->head_dim);
    }
}

// ---- all -----------------------------------------------------------------------------------------------------------

static workplace *workplace_at(void *scratch, const row_attention *a, int thread) {
    char *memory = (char *)scratch + thread * attend_wide_bytes(a->head_dim);
    workplace *work = (workplace *)memory;
    float *next = (float *)(memory + ATTEND_FIXED_BYTES);
    for (int i = 0; i < ATTEND_STRIPS; i++, next += 2 * a->head_dim * QUERIES) {
        work->strips[i].queries = next;
        work->strips[i].mixed = next + a->head_dim * QUERIES;
    }
    work->keys = next;
    work->values = next + ATTEND_KEYS * a->head_dim;
    return work;
}

// `count` strips of queries of one KV head, the first of them `first`.
static void attend_strips(const row_attention *a, workplace *work, int64_t kv_head, int64_t first, int64_t count) {
    int64_t from = a->count, to = 0;
    for (int64_t i = 0; i < count; i++) {
        strip *s = &work->strips[i];
        begin_strip(s, a, kv_head, (first + i) * QUERIES);
        from = least(from, s->from);
        to = most(to, s->to);
    }
    for (int64_t key = from / ATTEND_KEYS * ATTEND_KEYS; key < to; key += ATTEND_KEYS) {
        key_run runs[2];
        const int parts = key_runs(runs, a, work, kv_head, most(key, from), least(key + ATTEND_KEYS, to));
        for (int64_t i = 0; i < count; i++) attend_keys(&work->strips[i], a, work->scores, runs, parts);
    }
    for (int64_t i = 0; i < count; i++) end_strip(&work->strips[i], a, kv_head, (first + i) * QUERIES);
}

// Items [from, to), each up to `each` strips of a KV head; the last queries, which see the most keys, first.
static void attend_items(const row_attention *a, workplace *work, int64_t strips, int64_t each, int64_t from,
                         int64_t to) {
    const int64_t items = (strips + each - 1) / each;
    for (int64_t i = from; i < to; i++) {
        const int64_t first = (items - 1 - i / a->kv_heads) * each;
        attend_strips(a, work, i % a->kv_heads, first, least(each, strips - first));
    }
}

// Strips that read keys together: as many as leave every thread some shares.
static int64_t strips_together(int64_t strips) {
    enum { SHARES = 8 };
    return most(1, least(ATTEND_STRIPS, strips / (SHARES * omp_get_max_threads())));
}

void TIER(gemma_attend_wide)(float *out, int64_t out_row, int64_t out_head, const float *q, int64_t q_row,
                             int64_t q_head, const void *k, const void *v, int32_t kv_type, int64_t kv_row,
                             int64_t kv_head, int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows,
                             int64_t slots, int64_t first_slot, int64_t count, const int32_t *begin,
                             const int32_t *end, float softcap, void *scratch) {
    const row_attention a = {out,     q,       k,       v,     (dtype)kv_type, out_row, out_head, q_row,
                             q_head,  kv_row,  kv_head, heads, kv_heads,       head_dim, rows,     slots,
                             first_slot, count, begin,  end,   softcap};
    if (rows == 0) return;
    const int64_t strips = (rows * (heads / kv_heads) + QUERIES - 1) / QUERIES;
    const int64_t each = strips_together(kv_heads * strips), items = kv_heads * ((strips + each - 1) / each);
    TEAM_TAKE(items, 1, heads * rows * count * head_dim / 24, from, to,
              attend_items(&a, workplace_at(scratch, &a, omp_get_thread_num()), strips, each, from, to));
}
