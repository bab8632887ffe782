// attend_tiles: attention of many queries of one sequence by tiles of bf16 (tiles.h)
//   out[i, h] = sum_j p[i, j] v[j, h'],  p = softmax over begin[i] <= j < end[i] of softcap(q[i, h] . k[j, h'])
// Keys and values of KEYS positions at a time become tiles, once for all queries. Then blocks of ROWS queries of one
// head are scored against those that one of them sees, and the values mixed. Between the positions so taken, each query
// keeps its largest score and the sum of its exponentials, and out what is mixed so far (online softmax: Milakov and
// Gimelshein 2018). Queries, keys, values and probabilities are rounded to bf16; sums are in f32.
#include "attend_rows.h"
#include "softcap.h"
#include "team.h"
#include "tile_product.h"

enum { KEYS = ATTEND_TILE_KEYS, STEPS_OF_KEYS = KEYS / TILE_COLS, ROWS = 2 * TILE_ROWS };

typedef struct {
    row_attention rows;
    char *key_tiles,
        *value_tiles;       // [kv head][pair of panels of keys][step][2], [kv head][pair of dims][step of keys][2]
    float *largest, *total; // [head][row]
} attention;

static int64_t steps_of(const row_attention *a) { return tile_steps(a->head_dim); }

static int64_t tiles_bytes(const row_attention *a) { return STEPS_OF_KEYS * steps_of(a) * 2 * TILE_BYTES; }

// ---- keys and values -----------------------------------------------------------------------------------------------

// TILE_COLS keys from `key` on, as two panels for every step of the head's columns.
static void key_tiles(const row_attention *a, char *to, int64_t kv_head, int64_t key) {
    for (int panel = 0; panel < 2; panel++, key += PANEL_ROWS) {
        for (int64_t s = 0; s < steps_of(a); s++) {
            uint16_t rows[PANEL_ROWS][TILE_COLS] = {0};
            const int64_t col = s * TILE_COLS, left = a->head_dim - col;
            for (int64_t r = 0; r < PANEL_ROWS && key + r < a->count; r++) {
                const int64_t at = slot_of(a, kv_head, key + r) + col, n = left < TILE_COLS ? left : TILE_COLS;
                if (a->type == BF16)
                    memcpy(rows[r], (const uint16_t *)a->k + at, (size_t)n * sizeof rows[r][0]);
                else
                    narrow_row(rows[r], (const float *)a->k + at, n);
            }
            rows_tile(to + (s * 2 + panel) * TILE_BYTES, (const char *)rows, sizeof rows[0]);
        }
    }
}

static vf value_at(const row_attention *a, int64_t at, int64_t left) {
    return a->type == BF16 ? load_n_as(a->v, at, left, BF16) : load_n_as(a->v, at, left, F32);
}

// The values of TILE_COLS keys from `key` on, for every pair of panels of the head's columns, `apart` bytes apart.
static void value_tiles(const row_attention *a, char *to, int64_t apart, int64_t kv_head, int64_t key) {
    for (int64_t col = 0; col < steps_of(a) * TILE_COLS; col += PANEL_ROWS) {
        char *tile = to + col / TILE_COLS * apart + col / PANEL_ROWS % 2 * TILE_BYTES;
        for (int pair = 0; pair < TILE_COLS / 2; pair++) {
            for (int lane = 0; lane < PANEL_ROWS; lane += LANES) {
                vf two[2] = {splat(0), splat(0)};
                for (int i = 0; i < 2; i++) {
                    const int64_t j = key + 2 * pair + i, left = a->head_dim - col - lane;
                    if (j < a->count && left > 0) two[i] = value_at(a, slot_of(a, kv_head, j) + col + lane, left);
                }
                store_pairs(tile, pair, lane, pair_bf16(two[0], two[1]));
            }
        }
    }
}

// Steps [from, to) of the keys from `first` on, of all KV heads.
static void make_tiles(const attention *t, int64_t first, int64_t steps, int64_t from, int64_t to) {
    const row_attention *a = &t->rows;
    for (int64_t i = from; i < to; i++) {
        const int64_t kv_head = i / steps, step = i % steps, key = first + step * TILE_COLS;
        const int64_t pair_bytes = steps_of(a) * 2 * TILE_BYTES, step_bytes = 2 * TILE_BYTES;
        key_tiles(a, t->key_tiles + kv_head * tiles_bytes(a) + step * pair_bytes, kv_head, key);
        value_tiles(a, t->value_tiles + kv_head * tiles_bytes(a) + step * step_bytes, STEPS_OF_KEYS * step_bytes,
                    kv_head, key);
    }
}

// ---- queries -------------------------------------------------------------------------------------------------------

// ROWS queries of one head against the keys [first, first + KEYS).
typedef struct {
    const attention *t;
    const row_attention *a;
    attend_scratch *work;
    int64_t head, row, rows, groups;
    int64_t first, from, to; // steps of the keys that one of the queries sees
} block;

static void score(const block *b) {
    const row_attention *a = b->a;
    const int64_t steps = steps_of(a);
    const char *tiles = b->t->key_tiles + b->head / (a->heads / a->kv_heads) * tiles_bytes(a);
    for (int64_t g = 0; g < b->groups; g++) {
        const int64_t row = b->row + g * TILE_ROWS;
        for (int64_t s = 0; s < steps; s++) {
            row_tile(b->work->queries + (g * steps + s) * TILE_BYTES,
                     a->q + row * a->q_row + b->head * a->q_head + s * TILE_COLS, a->q_row, a->rows - row,
                     a->head_dim - s * TILE_COLS);
        }
    }
    for (int64_t i = b->from; i < b->to; i++) {
        const char(*keys)[2][TILE_BYTES] = (const char(*)[2][TILE_BYTES])(tiles + i * steps * 2 * TILE_BYTES);
        multiply_tiles(b->work->sums, b->work->queries, steps * TILE_BYTES, (int)b->groups, keys, steps, 1);
        for (int64_t r = 0; r < b->rows; r++) {
            for (int panel = 0; panel < 2; panel++) {
                memcpy(b->work->scores[r] + i * TILE_COLS + panel * PANEL_ROWS,
                       b->work->sums[r / TILE_ROWS][panel] + r % TILE_ROWS * PANEL_ROWS, PANEL_ROWS * sizeof(float));
            }
        }
    }
}

// Probabilities of row r, not yet divided by their sum, as a row of tiles; gives what was mixed before is worth now.
static float weigh(const block *b, int64_t r) {
    const row_attention *a = b->a;
    float *scores = b->work->scores[r], *largest = b->t->largest + b->head * a->rows + b->row + r;
    float *total = b->t->total + b->head * a->rows + b->row + r;
    int64_t begin = a->begin[b->row + r] - b->first, end = a->end[b->row + r] - b->first;
    const int64_t low = b->from * TILE_COLS, high = b->to * TILE_COLS;
    if (begin < low) begin = low;
    if (end > high) end = high;
    if (end < begin) begin = end = low;
    const int64_t n = end - begin;
    float before = 1;
    if (n > 0) {
        if (a->cap > 0) softcap_run(scores + begin, n, a->cap);
        float most = max_run(scores + begin, n), old = *largest;
        if (!(most < old)) *largest = most;
        before = old == *largest ? 1 : expf(old - *largest);
        *total = *total * before + exp_run(scores + begin, n, *largest);
    }
    memset(scores + low, 0, (size_t)(begin - low) * sizeof *scores);
    memset(scores + end, 0, (size_t)(high - end) * sizeof *scores);
    char *tile = b->work->probabilities + r / TILE_ROWS * STEPS_OF_KEYS * TILE_BYTES + r % TILE_ROWS * TILE_COLS * 2;
    for (int64_t s = b->from; s < b->to; s++) {
        narrow_row((uint16_t *)(tile + s * TILE_BYTES), scores + s * TILE_COLS, TILE_COLS);
    }
    return before;
}

// out = out * before + the values mixed, times `after`.
static void mix(const block *b, const float *before, const float *after) {
    const row_attention *a = b->a;
    const char *tiles = b->t->value_tiles + b->head / (a->heads / a->kv_heads) * tiles_bytes(a);
    for (int64_t col = 0; col < a->head_dim; col += 2 * PANEL_ROWS) {
        const char *values = tiles + (col / TILE_COLS * STEPS_OF_KEYS + b->from) * 2 * TILE_BYTES;
        multiply_tiles(b->work->sums, b->work->probabilities + b->from * TILE_BYTES, STEPS_OF_KEYS * TILE_BYTES,
                       (int)b->groups, (const char(*)[2][TILE_BYTES])values, b->to - b->from, 1);
        for (int64_t r = 0; r < b->rows; r++) {
            float *out = a->out + (b->row + r) * a->out_row + b->head * a->out_head + col;
            for (int64_t i = 0; i < 2 * PANEL_ROWS && col + i < a->head_dim; i += LANES) {
                vf sum =
                    load(b->work->sums[r / TILE_ROWS][i / PANEL_ROWS] + r % TILE_ROWS * PANEL_ROWS + i % PANEL_ROWS);
                if (b->first > 0) sum += load_n(out + i, a->head_dim - col - i) * before[r];
                store_n(out + i, sum * after[r], a->head_dim - col - i);
            }
        }
    }
}

static void attend_block(const attention *t, attend_scratch *work, int64_t first, int64_t item) {
    const row_attention *a = &t->rows;
    const int64_t blocks = (a->rows + ROWS - 1) / ROWS, row = item % blocks * ROWS;
    const int64_t rows = a->rows - row < ROWS ? a->rows - row : ROWS;
    const int last = first + KEYS >= a->count;
    int64_t low = a->count, high = 0;
    for (int64_t r = row; r < row + rows; r++) {
        if (a->begin[r] < a->end[r] && a->begin[r] < low) low = a->begin[r];
        if (a->begin[r] < a->end[r] && a->end[r] > high) high = a->end[r];
    }
    low = low < first ? first : low;
    high = high > first + KEYS ? first + KEYS : high;
    const int64_t from = low < high ? (low - first) / TILE_COLS : 0;
    const int64_t to = low < high ? (high - first + TILE_COLS - 1) / TILE_COLS : 0;
    const block b = {t, a, work, item / blocks, row, rows, tile_groups(rows), first, from, to};
    float before[ROWS], after[ROWS];
    if (from < to) score(&b);
    for (int64_t r = 0; r < rows; r++) {
        before[r] = weigh(&b, r);
        const float total = t->total[b.head * a->rows + row + r];
        after[r] = !last ? 1 : total > 0 ? 1 / total : total;
    }
    mix(&b, before, after);
}

static void attend_blocks(const attention *t, attend_scratch *work, int64_t first, int64_t from, int64_t to) {
    const row_attention *a = &t->rows;
    begin_tiles();
    // the last queries see the most keys
    const int64_t blocks = a->heads * ((a->rows + ROWS - 1) / ROWS);
    for (int64_t i = from; i < to; i++) attend_block(t, work, first, blocks - 1 - i);
    end_tiles();
}

void TIER(gemma_attend_tiles)(float *out, int64_t out_row, int64_t out_head, const float *q, int64_t q_row,
                              int64_t q_head, const void *k, const void *v, int32_t kv_type, int64_t kv_row,
                              int64_t kv_head, int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows,
                              int64_t slots, int64_t first_slot, int64_t count, const int32_t *begin,
                              const int32_t *end, float cap, void *work) {
    attention t = {.rows = {out,  q,      k,       v,        (dtype)kv_type, out_row,  out_head,
                            q_row, q_head, kv_row, kv_head,  heads,          kv_heads, head_dim,
                            rows, slots,  first_slot, count, begin,          end,      cap}};
    const row_attention *a = &t.rows;
    attend_scratch *scratch = (attend_scratch *)work;
    t.key_tiles = (char *)(scratch + omp_get_max_threads());
    t.value_tiles = t.key_tiles + kv_heads * tiles_bytes(a);
    t.largest = (float *)(t.value_tiles + kv_heads * tiles_bytes(a));
    t.total = t.largest + heads * rows;
    for (int64_t i = 0; i < heads * rows; i++) t.largest[i] = -INFINITY, t.total[i] = 0;
    const int64_t blocks = heads * ((rows + ROWS - 1) / ROWS);
    for (int64_t first = 0; first < count; first += KEYS) {
        const int64_t keys = count - first < KEYS ? count - first : KEYS, steps = tile_steps(keys);
        TEAM_SPLIT(kv_heads * steps, 1, kv_heads * keys * head_dim / 4, from, to,
                   make_tiles(&t, first, steps, from, to));
        TEAM_TAKE(blocks, 1, heads * rows * keys * head_dim / 500, from, to,
                  attend_blocks(&t, scratch + omp_get_thread_num(), first, from, to));
    }
}
