// attention_test: attention over a ring, of one query and of many, and softcap-softmax, against doubles.
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double capped(double s, double cap) { return cap > 0 ? cap * tanh(s / cap) : s; }

// ---- softcap_softmax -----------------------------------------------------------------------------------------------

static void softmax_row(const char *what, const float *got, const float *scores, int64_t row, int64_t cols,
                        int64_t begin, int64_t end, double cap) {
    double max = -INFINITY, total = 0;
    for (int64_t c = begin; c < end; c++) max = fmax(max, capped(scores[c], cap));
    for (int64_t c = begin; c < end; c++) total += max == -INFINITY ? 0 : exp(capped(scores[c], cap) - max);
    for (int64_t c = 0; c < cols; c++) {
        int kept = c >= begin && c < end && total > 0;
        double s = kept ? capped(scores[c], cap) : 0, want = kept ? exp(s - max) / total : 0;
        // softcap is off by 12 units of |s| on both sides, s - max by one of itself, exp and the sum by the rest
        double units = cap > 0 ? 12 * (fabs(s) + fabs(max)) : 0;
        if (isfinite(s)) units += fabs(s - max);
        double tolerance = kept ? want * UNIT * (units + (double)(end - begin) / 4 + 16) + 1.3e-38 : 0;
        expect(what, row, c, got[c], want, tolerance);
    }
}

static void softmax_case(int64_t rows, int64_t cols, int64_t gap, double range, float cap) {
    operand scores = make_operand(rows, cols, cols + gap, 4), kept = make_operand(rows, cols, cols, 4);
    operand begin = make_operand(1, rows, rows, 4), end = make_operand(1, rows, rows, 4);
    int32_t *from = begin.data, *to = end.data;
    fill_f32(scores, -range, range);
    for (int64_t r = 0; r < rows; r++) {
        from[r] = r % 4 == 0 ? 0 : (int32_t)below(cols + 1); // some spans are empty, some even reversed
        to[r] = r % 4 == 0 ? (int32_t)cols : (int32_t)below(cols + 1);
        for (int64_t c = 0; c < cols && r % 3 == 2; c++) {
            if (r % 6 == 5 || below(3) == 0) f32_row(scores, r)[c] = -INFINITY; // here and there, or everywhere
        }
        memcpy(f32_row(kept, r), f32_row(scores, r), (size_t)cols * 4);
    }
    gemma_softcap_softmax_f32(scores.data, rows, cols, scores.stride, from, to, cap);
    for (int64_t r = 0; r < rows; r++) {
        softmax_row("softcap_softmax", f32_row(scores, r), f32_row(kept, r), r, cols, from[r], to[r], cap);
    }
    expect_gaps_untouched("softcap_softmax", scores);
}

// ---- attend --------------------------------------------------------------------------------------------------------

typedef struct {
    int64_t heads, kv_heads, head_dim, slots, first_slot, count;
    float softcap;
    double range;
} shape;

// The keys or values of a ring: as they are stored, and what that is in f32.
typedef struct {
    const char *name;
    int32_t type;
    operand stored, wide;
} cache;

static cache make_cache(const shape *a, int32_t type, double low, double high) {
    const int64_t rows = a->kv_heads * a->slots;
    cache made = {type == GEMMA_BF16 ? "bf16" : "f32", type, make_operand(rows, a->head_dim, a->head_dim, 4), {0}};
    made.wide = made.stored;
    if (type == GEMMA_F32) {
        fill_f32(made.stored, low, high);
    } else {
        made.stored = make_operand(rows, a->head_dim, a->head_dim, 2);
        fill_h16(made.stored, low, high, 0);
        gemma_widen_bf16(made.wide.data, a->head_dim, made.stored.data, a->head_dim, rows, a->head_dim);
    }
    return made;
}

// The output of head h, whose query is q.
static void expect_head(const char *what, const shape *a, int64_t h, const float *q, operand k, operand v,
                        const float *got) {
    double *p = malloc((size_t)(a->count + 1) * sizeof *p), max = -INFINITY, total = 0, score_error = 0;
    int64_t g = h / (a->heads / a->kv_heads);
    for (int64_t j = 0; j < a->count; j++) {
        const float *key = f32_row(k, g * a->slots + (a->first_slot + j) % a->slots);
        double s = 0, size = 0;
        for (int64_t d = 0; d < a->head_dim; d++) {
            s += (double)q[d] * key[d];
            size += fabs((double)q[d] * key[d]);
        }
        p[j] = capped(s, a->softcap);
        max = fmax(max, p[j]);
        // a dot product over 4 lanes or more, the softcap, the difference from the maximum
        score_error = fmax(score_error, UNIT * (size * ((double)a->head_dim / 4 + 8) + 24 * fabs(p[j])));
    }
    for (int64_t j = 0; j < a->count; j++) total += p[j] = exp(p[j] - max);
    for (int64_t d = 0; d < a->head_dim; d++) {
        double want = 0, size = 0;
        for (int64_t j = 0; j < a->count; j++) {
            double term = p[j] / total * f32_row(v, g * a->slots + (a->first_slot + j) % a->slots)[d];
            want += term;
            size += fabs(term);
        }
        // every weight is off by e^(2 score_error), the two sums by a rounding per slot and per rescaled block
        double tolerance = size * (2 * expm1(score_error) + UNIT * ((double)a->count * 2 + 32)) + 1e-37;
        expect(what, h, d, got[d], want, tolerance);
    }
    free(p);
}

static void attend_case(uint64_t seed, shape a, int32_t type) {
    begin_case(seed, "heads %lld/%lld, head_dim %lld, slots %lld, first %lld, count %lld, softcap %g, values to %g",
               (long long)a.heads, (long long)a.kv_heads, (long long)a.head_dim, (long long)a.slots,
               (long long)a.first_slot, (long long)a.count, (double)a.softcap, a.range);
    int32_t threads = gemma_probe_threads();
    operand q = make_operand(a.heads, a.head_dim, a.head_dim, 4),
            out = make_operand(a.heads, a.head_dim, a.head_dim, 4);
    operand scratch = make_operand(1, gemma_attend_scratch(a.heads, a.head_dim, threads), 0, 4);
    fill_f32(q, -a.range, a.range);
    const cache k = make_cache(&a, type, -1, 1), v = make_cache(&a, type, -2, 2);
    gemma_attend(out.data, q.data, k.stored.data, v.stored.data, type, a.heads, a.kv_heads, a.head_dim, a.slots,
                 a.first_slot, a.count, a.softcap, scratch.data);
    for (int64_t h = 0; h < a.heads; h++) {
        expect_head(k.name, &a, h, f32_row(q, h), k.wide, v.wide, f32_row(out, h));
    }
    free_operands();
}

// ---- attend_wide ---------------------------------------------------------------------------------------------------

static void rows_case(uint64_t seed, shape a, int64_t rows, int32_t type) {
    begin_case(seed, "rows %lld, heads %lld/%lld, head_dim %lld, slots %lld, first %lld, count %lld, softcap %g",
               (long long)rows, (long long)a.heads, (long long)a.kv_heads, (long long)a.head_dim, (long long)a.slots,
               (long long)a.first_slot, (long long)a.count, (double)a.softcap);
    const int64_t cols = a.heads * a.head_dim;
    operand q = make_operand(rows, cols, cols + 7, 4), out = make_operand(rows, cols, cols + 3, 4);
    operand begin = make_operand(1, rows, rows, 4), end = make_operand(1, rows, rows, 4);
    operand scratch = make_operand(1, gemma_attend_wide_scratch(a.head_dim, gemma_probe_threads()), 0, 1);
    int32_t *from = begin.data, *to = end.data;
    fill_f32(q, -a.range, a.range);
    const cache k = make_cache(&a, type, -1, 1), v = make_cache(&a, type, -2, 2);
    for (int64_t r = 0; r < rows; r++) { // causal, windows, and anything, even nothing
        from[r] = r % 5 == 4 ? (int32_t)below(a.count + 1) : r % 2 ? (int32_t)(r * a.count / rows / 2) : 0;
        to[r] = r % 5 == 4 ? (int32_t)below(a.count + 1) : (int32_t)((r + 1) * a.count / rows);
    }
    gemma_attend_wide(out.data, out.stride, a.head_dim, q.data, q.stride, a.head_dim, k.stored.data, v.stored.data,
                      type, a.head_dim, a.slots * a.head_dim, a.heads, a.kv_heads, a.head_dim, rows, a.slots,
                      a.first_slot, a.count, from, to, a.softcap, scratch.data);
    for (int64_t r = 0; r < rows; r++) {
        shape seen = a;
        seen.first_slot = (a.first_slot + from[r]) % a.slots;
        seen.count = from[r] < to[r] ? to[r] - from[r] : 0;
        for (int64_t h = 0; h < a.heads; h++) {
            expect_head("attend_wide", &seen, h, f32_row(q, r) + h * a.head_dim, k.wide, v.wide,
                        f32_row(out, r) + h * a.head_dim);
        }
    }
    expect_gaps_untouched("attend_wide", out);
    free_operands();
}

// The same queries give the same bits beside others, on any number of threads.
static void company_case(uint64_t seed, shape a, int64_t rows) {
    begin_case(seed, "%lld rows, heads %lld/%lld, in two parts", (long long)rows, (long long)a.heads,
               (long long)a.kv_heads);
    const int64_t cols = a.heads * a.head_dim, kv_head = a.slots * a.head_dim;
    const int32_t threads = gemma_probe_threads();
    operand q = make_operand(rows, cols, cols, 4), out = make_operand(rows, cols, cols, 4);
    operand one = make_operand(rows, cols, cols, 4);
    operand begin = make_operand(1, rows, rows, 4), end = make_operand(1, rows, rows, 4);
    operand scratch = make_operand(1, gemma_attend_wide_scratch(a.head_dim, threads), 0, 1);
    int32_t *from = begin.data, *to = end.data;
    fill_f32(q, -1, 1);
    const cache k = make_cache(&a, GEMMA_F32, -1, 1), v = make_cache(&a, GEMMA_F32, -2, 2);
    for (int64_t r = 0; r < rows; r++) from[r] = (int32_t)below(3), to[r] = (int32_t)(a.count - below(a.count / 2));
    gemma_attend_wide(out.data, cols, a.head_dim, q.data, cols, a.head_dim, k.stored.data, v.stored.data, GEMMA_F32,
                      a.head_dim, kv_head, a.heads, a.kv_heads, a.head_dim, rows, a.slots, a.first_slot, a.count, from,
                      to, a.softcap, scratch.data);
    gemma_set_threads(1);
    for (int64_t r = 0; r < rows; r += 7) {
        const int64_t left = rows - r < 7 ? rows - r : 7;
        gemma_attend_wide(f32_row(one, r), cols, a.head_dim, f32_row(q, r), cols, a.head_dim, k.stored.data,
                          v.stored.data, GEMMA_F32, a.head_dim, kv_head, a.heads, a.kv_heads, a.head_dim, left, a.slots,
                          a.first_slot, a.count, from + r, to + r, a.softcap, scratch.data);
    }
    gemma_set_threads(threads);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) expect("attend_wide, bits", r, c, f32_row(one, r)[c], f32_row(out, r)[c], 0);
    }
    free_operands();
}

static void many_queries(uint64_t seed, const int64_t (*heads)[2]) {
    static const int64_t dims[] = {1, 3, 8, 18, 20, 32, 72, 256};
    for (int i = 0; i < 48; i++, seed++) {
        const int64_t slots = 1 + below(300), rows = 1 + below(70), *h = heads[i / 2 % 8];
        const shape a = {h[0], h[1], dims[i % 8], slots, below(slots), 1 + below(slots), i % 3 ? 0 : 5, i % 4 ? 1 : 30};
        rows_case(seed, a, rows, i % 5 < 3 ? GEMMA_F32 : GEMMA_BF16);
    }
    for (int type = GEMMA_F32; type <= GEMMA_BF16; type++) { // several strips of queries for each thread
        rows_case(seed++, (shape){4, 1, 64, 1000, 700, 900, 0, 1}, 300, type);
    }
    company_case(seed++, (shape){4, 2, 24, 300, 250, 280, 0, 1}, 131);
    company_case(seed, (shape){1, 1, 16, 90, 0, 90, 20, 1}, 600);
}

void attention_tests(void) {
    static const double ranges[] = {3, 1e4};
    static const int64_t heads[][2] = {{1, 1}, {4, 1}, {8, 4}, {4, 4}, {7, 1}, {10, 2}, {3, 3}, {16, 1}};
    uint64_t seed = 3000;
    for (int i = 0; i < SIZES; i++) {
        int64_t cols = EDGE_SIZES[i];
        for (int j = 0; j < 4; j++, seed++) {
            float cap = j % 2 ? 50 : 0;
            begin_case(seed, "cols %lld, cap %g, values to %g", (long long)cols, (double)cap, ranges[j / 2]);
            softmax_case(13, cols, j, ranges[j / 2], cap);
            free_operands();
        }
        for (int j = 0; j < SIZES; j++, seed++) { // head_dim and slots; wrapped or not, full or not, even none
            int64_t slots = EDGE_SIZES[j];
            const int64_t *h = heads[seed % 8];
            float cap = seed % 2 ? 50 : 0;
            attend_case(seed, (shape){h[0], h[1], cols, slots, 0, slots, cap, 1}, GEMMA_F32);
            attend_case(seed, (shape){h[0], h[1], cols, slots, slots / 2, slots, cap, 1}, (int32_t)(seed % 3 == 0));
            attend_case(seed, (shape){h[0], h[1], cols, slots, slots - 1, slots / 3, cap, 20}, (int32_t)(seed % 2));
        }
    }
    begin_case(seed++, "large"); // shared by the threads
    softmax_case(64, 513, 1, 30, 50);
    free_operands();
    for (int i = 0; i < 8; i++, seed++) {
        attend_case(seed, (shape){heads[i][0], heads[i][1], 256, 1000, 700, 777, i % 2 ? 50 : 0, 0.2}, i / 4);
    }
    many_queries(seed, heads);
}
