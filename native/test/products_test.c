// products_test: products of many rows with weights of every kind, in f32 and by bf16 tiles, and attention by tiles,
// against doubles of the operands, rounded where the kernels round them.
#include "quantized.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS_Q6_K = GEMMA_WEIGHTS_BLOCKS + 14, KINDS = 5 };
static const int32_t KIND[KINDS] = {GEMMA_WEIGHTS_BF16, GEMMA_WEIGHTS_F16, GEMMA_WEIGHTS_Q8_0, GEMMA_WEIGHTS_Q4_0,
                                    BLOCKS_Q6_K};

// bf16, to nearest, ties to even; the instructions take subnormals for 0.
static double rounded(double x) {
    float f = (float)x;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&f, &bits, sizeof f);
    return f;
}

typedef struct {
    operand stored, values; // values: what they are worth, f32
    int32_t kind;
} weights;

static weights make_weights(int32_t kind, int64_t n, int64_t k) {
    weights w = {.values = make_operand(n, k, k, 4), .kind = kind};
    fill_f32(w.values, -1, 1);
    if (kind == GEMMA_WEIGHTS_BF16 || kind == GEMMA_WEIGHTS_F16) {
        w.stored = make_operand(n, k, k + 5, 2);
        fill_h16(w.stored, -1, 1, kind == GEMMA_WEIGHTS_F16);
        for (int64_t r = 0; r < n; r++) {
            for (int64_t c = 0; c < k; c++) {
                f32_row(w.values, r)[c] = (float)widen(h16_row(w.stored, r)[c], kind == GEMMA_WEIGHTS_F16);
            }
        }
    } else if (kind == BLOCKS_Q6_K) {
        const int64_t bytes = n * k / 256 * 210;
        w.stored = make_operand(1, bytes, bytes, 1);
        unsigned char *block = w.stored.data;
        for (int64_t i = 0; i < bytes; i++) block[i] = (unsigned char)below(256);
        for (int64_t i = 0; i < bytes; i += 210) block[i + 208] = (unsigned char)below(256), block[i + 209] = 0x10;
        gemma_widen_blocks(w.values.data, k, w.stored.data, 14, n, k);
    } else {
        const int format = kind == GEMMA_WEIGHTS_Q8_0 ? 0 : 1;
        w.stored = packed(format, n, k);
        pack_f32(format, w.stored, w.values);
        unpack(format, w.values, w.stored, 0);
    }
    return w;
}

static operand aligned_bytes(int64_t bytes) {
    return make_operand(1, (bytes + 63) / 64 * 64, (bytes + 63) / 64 * 64, 1);
}

// The two ways to multiply.
typedef struct {
    const char *name;
    double (*operand)(double); // what becomes of one
    int64_t (*bytes)(int64_t rows, int64_t cols);
    int64_t (*scratch)(int64_t threads);
    void (*rows)(void *out, const float *in, int64_t in_stride, int64_t rows, int64_t cols);
    void (*matmul)(float *out, int64_t out_stride, const void *x, const void *const *w, const int32_t *kinds,
                   const int64_t *strides, const int64_t *n, int64_t count, int64_t rows, int64_t k, void *scratch);
    void (*geglu)(float *out, int64_t out_stride, void *rows_out, const void *x, const void *gate, int32_t gate_kind,
                  int64_t gate_stride, const void *up, int32_t up_kind, int64_t up_stride, int64_t rows, int64_t n,
                  int64_t k, void *scratch);
} way;

static double unchanged(double x) { return x; }

static const way WIDE = {"matmul_wide",         unchanged,         gemma_wide_bytes,       gemma_wide_scratch,
                         gemma_wide_rows_f32,   gemma_matmul_wide, gemma_matmul_wide_geglu};
static const way TILES = {"matmul_tiles",       rounded,            gemma_tiles_bytes,       gemma_tiles_scratch,
                          gemma_tile_rows_f32,  gemma_matmul_tiles, gemma_matmul_tiles_geglu};

static operand laid(const way *by, operand x) {
    operand rows = aligned_bytes(by->bytes(x.rows, x.cols));
    by->rows(rows.data, x.data, x.stride, x.rows, x.cols);
    return rows;
}

static operand scratch_of(const way *by) { return aligned_bytes(by->scratch(gemma_probe_threads())); }

static double dot(const way *by, operand x, int64_t r, operand w, int64_t o, double *error) {
    double total = 0, size = 0;
    for (int64_t c = 0; c < x.cols; c++) {
        double term = by->operand(f32_row(x, r)[c]) * by->operand(f32_row(w, o)[c]);
        total += term;
        size += fabs(term);
    }
    *error = size * UNIT * ((double)x.cols + 4) + 1e-37;
    return total;
}

static void matmul_case(const way *by, int64_t rows, int64_t n, int64_t k, const int32_t *kinds) {
    const int64_t n_of[3] = {n, 1, n / 2 + 1}, total = n + 1 + n / 2 + 1;
    operand x = make_operand(rows, k, k + 3, 4), out = make_operand(rows, total, total + 1, 4);
    fill_f32(x, -1, 1);
    weights w[3];
    const void *data[3];
    int64_t strides[3];
    for (int i = 0; i < 3; i++) {
        w[i] = make_weights(kinds[i], n_of[i], k);
        data[i] = w[i].stored.data;
        strides[i] = w[i].stored.stride;
    }
    by->matmul(out.data, out.stride, laid(by, x).data, data, kinds, strides, n_of, 3, rows, k, scratch_of(by).data);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0, col = 0; i < 3; col += n_of[i++]) {
            for (int64_t o = 0; o < n_of[i]; o++) {
                double error, want = dot(by, x, r, w[i].values, o, &error);
                expect(by->name, r, col + o, f32_row(out, r)[col + o], want, error);
            }
        }
    }
    expect_gaps_untouched(by->name, out);
}

// gelu(gate) * up, written out and as rows of another product, which one with the identity shows.
static void geglu_case(const way *by, int64_t rows, int64_t n, int64_t k, int32_t gate_kind, int32_t up_kind) {
    operand x = make_operand(rows, k, k, 4), out = make_operand(rows, n, n + 1, 4), shown = make_operand(rows, n, n, 4);
    operand scratch = scratch_of(by), next = aligned_bytes(by->bytes(rows, n)), x_rows;
    fill_f32(x, -1, 1);
    x_rows = laid(by, x);
    weights gate = make_weights(gate_kind, n, k), up = make_weights(up_kind, n, k);
    by->geglu(out.data, out.stride, NULL, x_rows.data, gate.stored.data, gate_kind, gate.stored.stride, up.stored.data,
              up_kind, up.stored.stride, rows, n, k, scratch.data);
    by->geglu(NULL, 0, next.data, x_rows.data, gate.stored.data, gate_kind, gate.stored.stride, up.stored.data, up_kind,
              up.stored.stride, rows, n, k, scratch.data);
    operand identity = make_operand(n, n, n, 2);
    memset(identity.data, 0, (size_t)(n * n * 2));
    for (int64_t i = 0; i < n; i++) h16_row(identity, i)[i] = 0x3f80;
    const void *data = identity.data;
    const int32_t kind = GEMMA_WEIGHTS_BF16;
    by->matmul(shown.data, n, next.data, &data, &kind, &n, &n, 1, rows, n, scratch.data);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            double gate_error, up_error, g = dot(by, x, r, gate.values, o, &gate_error);
            double u = dot(by, x, r, up.values, o, &up_error), gelu = gelu_reference(g);
            double own = fabs(gelu) * UNIT * (16 + 8 * fabs(g + 0.044715 * g * g * g));
            double error = (1.13 * gate_error + own) * (fabs(u) + up_error) + fabs(gelu) * up_error + 1e-37;
            expect(by->name, r, o, f32_row(out, r)[o], gelu * u, error);
            expect(by->name, r, o, f32_row(shown, r)[o], by->operand(f32_row(out, r)[o]), 0);
        }
    }
    expect_gaps_untouched(by->name, out);
}

// All rows at once on this team, against each row alone on one thread: the same bits.
static void bits_case(const way *by, int64_t rows, int64_t n, int64_t k, int32_t kind) {
    operand x = make_operand(rows, k, k, 4), all = make_operand(rows, n, n, 4), alone = make_operand(1, n, n, 4);
    fill_f32(x, -1, 1);
    weights w = make_weights(kind, n, k);
    const void *data = w.stored.data;
    const int64_t stride = w.stored.stride;
    const int32_t threads = gemma_probe_threads();
    operand scratch = scratch_of(by);
    by->matmul(all.data, n, laid(by, x).data, &data, &kind, &stride, &n, 1, rows, k, scratch.data);
    operand row = aligned_bytes(by->bytes(1, k));
    gemma_set_threads(1);
    for (int64_t r = 0; r < rows; r++) {
        by->rows(row.data, f32_row(x, r), k, 1, k);
        by->matmul(alone.data, n, row.data, &data, &kind, &stride, &n, 1, 1, k, scratch.data);
        expect_true(memcmp(alone.data, f32_row(all, r), (size_t)n * 4) == 0, by->name);
    }
    gemma_set_threads(threads);
}

static void product_cases(const way *by, uint64_t seed) {
    static const int64_t rows[] = {1, 2, 15, 16, 17, 33, 70}, n[] = {1, 3, 15, 16, 17, 31, 32, 33, 100};
    static const int64_t k[] = {1, 2, 31, 32, 33, 63, 64, 300, 577, 1200};
    for (int i = 0; i < 40; i++, seed++) {
        const int64_t row = rows[i % 7], out = n[i % 9];
        for (int kind = 0; kind < KINDS; kind++) {
            const int64_t whole = kind < 2 ? 1 : kind < 4 ? 32 : 256, inner = (k[i % 10] + whole - 1) / whole * whole;
            const int32_t kinds[3] = {KIND[kind], KIND[kind], kind == 3 ? GEMMA_WEIGHTS_BF16 : KIND[kind]};
            begin_case(seed, "%s, kind %d, rows %lld, n %lld, k %lld", by->name, (int)KIND[kind], (long long)row,
                       (long long)out, (long long)inner);
            matmul_case(by, row, out, inner, kinds);
            geglu_case(by, row, out, inner, KIND[kind], kind == 4 ? GEMMA_WEIGHTS_Q8_0 : KIND[kind]);
            free_operands();
            if (kind == i % KINDS) bits_case(by, row, out, inner, KIND[kind]);
            free_operands();
        }
    }
    const int32_t bf16[3] = {0, 0, 0};
    begin_case(seed++, "%s, many rows and outputs", by->name); // several slices and parts
    matmul_case(by, 600, 230, 640, bf16);
    free_operands();
    bits_case(by, 150, 230, 300, GEMMA_WEIGHTS_F16);
    free_operands();
}

// ---- attention -----------------------------------------------------------------------------------------------------

typedef struct {
    int64_t heads, kv_heads, head_dim, rows, slots, first_slot, count;
    float softcap;
} shape;

static void expect_query(const shape *a, int64_t r, int64_t h, operand q, operand k, operand v, int64_t begin,
                         int64_t end, const float *got) {
    double *p = malloc((size_t)(a->count + 1) * sizeof *p), max = -INFINITY, total = 0;
    const int64_t g = h / (a->heads / a->kv_heads);
    for (int64_t j = begin; j < end; j++) {
        const float *key = f32_row(k, g * a->slots + (a->first_slot + j) % a->slots);
        double s = 0;
        for (int64_t d = 0; d < a->head_dim; d++) s += rounded(f32_row(q, r)[h * a->head_dim + d]) * rounded(key[d]);
        p[j] = a->softcap > 0 ? a->softcap * tanh(s / a->softcap) : s;
        max = fmax(max, p[j]);
    }
    for (int64_t j = begin; j < end; j++) total += p[j] = exp(p[j] - max);
    for (int64_t d = 0; d < a->head_dim; d++) {
        double want = 0, size = 0;
        for (int64_t j = begin; j < end; j++) {
            double term = p[j] / total * rounded(f32_row(v, g * a->slots + (a->first_slot + j) % a->slots)[d]);
            want += term;
            size += fabs(term);
        }
        // a probability is rounded to bf16, by 2^-8 of itself at most; the rest is f32's
        expect("attend_tiles", r, h * a->head_dim + d, got[d], want, size * (0x1p-8 + 1e-4) + 1e-37);
    }
    free(p);
}

static void attend_case(uint64_t seed, shape a, int32_t type) {
    begin_case(seed, "heads %lld/%lld, head_dim %lld, rows %lld, slots %lld, first %lld, count %lld, softcap %g",
               (long long)a.heads, (long long)a.kv_heads, (long long)a.head_dim, (long long)a.rows, (long long)a.slots,
               (long long)a.first_slot, (long long)a.count, (double)a.softcap);
    const int64_t cols = a.heads * a.head_dim;
    operand q = make_operand(a.rows, cols, cols + 7, 4), out = make_operand(a.rows, cols, cols + 3, 4);
    operand k = make_operand(a.kv_heads * a.slots, a.head_dim, a.head_dim, 4);
    operand v = make_operand(a.kv_heads * a.slots, a.head_dim, a.head_dim, 4);
    operand begin = make_operand(1, a.rows, a.rows, 4), end = make_operand(1, a.rows, a.rows, 4);
    operand scratch =
        aligned_bytes(gemma_attend_tiles_scratch(a.heads, a.kv_heads, a.head_dim, a.rows, gemma_probe_threads()));
    int32_t *from = begin.data, *to = end.data;
    fill_f32(q, -1, 1);
    fill_f32(k, -1, 1);
    fill_f32(v, -2, 2);
    for (int64_t r = 0; r < a.rows; r++) { // causal, windows, and anything, even nothing
        from[r] = r % 5 == 4 ? (int32_t)below(a.count + 1) : r % 2 ? (int32_t)(r * a.count / a.rows / 2) : 0;
        to[r] = r % 5 == 4 ? (int32_t)below(a.count + 1) : (int32_t)((r + 1) * a.count / a.rows);
    }
    operand keys = k, values = v;
    if (type == GEMMA_BF16) {
        keys = make_operand(a.kv_heads * a.slots, a.head_dim, a.head_dim, 2);
        values = make_operand(a.kv_heads * a.slots, a.head_dim, a.head_dim, 2);
        gemma_narrow_bf16(keys.data, a.head_dim, k.data, a.head_dim, k.rows, a.head_dim);
        gemma_narrow_bf16(values.data, a.head_dim, v.data, a.head_dim, v.rows, a.head_dim);
    }
    gemma_attend_tiles(out.data, out.stride, a.head_dim, q.data, q.stride, a.head_dim, keys.data, values.data, type,
                       a.head_dim, a.slots * a.head_dim, a.heads, a.kv_heads, a.head_dim, a.rows, a.slots,
                       a.first_slot, a.count, from, to, a.softcap, scratch.data);
    for (int64_t r = 0; r < a.rows; r++) {
        for (int64_t h = 0; h < a.heads; h++) {
            expect_query(&a, r, h, q, k, v, from[r], to[r], f32_row(out, r) + h * a.head_dim);
        }
    }
    expect_gaps_untouched("attend_tiles", out);
    free_operands();
}

static void attend_cases(uint64_t seed) {
    static const int64_t heads[][2] = {{1, 1}, {4, 1}, {8, 4}, {3, 3}}, dims[] = {1, 8, 16, 20, 32, 48, 64, 256};
    for (int i = 0; i < 24; i++, seed++) {
        const int64_t slots = 1 + below(200), count = 1 + below(slots), row = 1 + below(70);
        attend_case(seed, (shape){heads[i % 4][0], heads[i % 4][1], dims[i % 8], row, slots, below(slots), count,
                                  i % 3 ? 0 : 5},
                    i % 5 > 2);
    }
    // more keys than are tiles at a time
    attend_case(seed, (shape){2, 1, 32, 40, 2500, 2000, 2300, 0}, GEMMA_F32);
}

void products_tests(void) {
    product_cases(&WIDE, 6000);
    // the other tiers have no copies of their own
    if (strcmp(gemma_isa(), "portable") != 0 && strcmp(gemma_isa(), "avx512-amx") != 0) return;
    product_cases(&TILES, 7000);
    attend_cases(8000);
}
