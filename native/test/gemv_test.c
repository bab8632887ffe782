// gemv_test: gemv, gemv_group, gemv_geglu for the three weight types against doubles; and that bits depend neither on
// threads nor on the rows beside.
#include "check.h"

#include <math.h>
#include <string.h>

typedef struct {
    operand x, w;
    int type; // 0 f32, 1 bf16, 2 f16
} product;

static double weight_at(const product *p, int64_t o, int64_t i) {
    return p->type ? widen(h16_row(p->w, o)[i], p->type == 2) : f32_row(p->w, o)[i];
}

// The exact dot product and, in *error, what f32 may make of it: 8 sums or more (2 vectors of 4 lanes) of k / 8 terms,
// a tree, and the products' own roundings where there is no FMA.
static double dot(const product *p, int64_t r, int64_t o, double *error) {
    int64_t k = p->x.cols;
    double total = 0, size = 0;
    for (int64_t i = 0; i < k; i++) {
        double term = f32_row(p->x, r)[i] * weight_at(p, o, i);
        total += term;
        size += fabs(term);
    }
    *error = size * UNIT * ((double)k / 8 + 8) + 1e-37;
    return total;
}

static operand weights(int64_t n, int64_t k, int64_t gap, int type, double range) {
    operand w = make_operand(n, k, k + gap, type ? 2 : 4);
    if (type)
        fill_h16(w, -range, range, type == 2);
    else
        fill_f32(w, -range, range);
    return w;
}

static void gemv(operand out, operand x, operand w, int type) {
    if (type == 0) gemma_gemv_f32(out.data, out.stride, x.data, x.stride, w.data, w.stride, x.rows, w.rows, x.cols);
    if (type == 1) gemma_gemv_bf16(out.data, out.stride, x.data, x.stride, w.data, w.stride, x.rows, w.rows, x.cols);
    if (type == 2) gemma_gemv_f16(out.data, out.stride, x.data, x.stride, w.data, w.stride, x.rows, w.rows, x.cols);
}

static void gemv_case(int64_t rows, int64_t n, int64_t k, int64_t gap, int type, double range) {
    operand x = make_operand(rows, k, k + gap, 4), w = weights(n, k, gap, type, range);
    operand out = make_operand(rows, n, n + gap, 4);
    fill_f32(x, -range, range);
    gemv(out, x, w, type);
    const product p = {x, w, type};
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            double error, want = dot(&p, r, o, &error);
            expect("gemv", r, o, f32_row(out, r)[o], want, error);
        }
    }
    expect_gaps_untouched("gemv", out);
}

static void group_case(int64_t rows, int64_t n, int64_t k, int type) {
    const int64_t counts[3] = {n, 1, n / 2 + 1}, total = n + 1 + n / 2 + 1;
    operand x = make_operand(rows, k, k, 4), out = make_operand(rows, total, total + 1, 4), w[3];
    const void *pointers[3];
    fill_f32(x, -1, 1);
    for (int i = 0; i < 3; i++) {
        w[i] = weights(counts[i], k, 2, type, 1);
        pointers[i] = w[i].data;
    }
    const void *list = pointers;
    if (type == 0) gemma_gemv_group_f32(out.data, out.stride, x.data, x.stride, list, counts, 3, k + 2, rows, k);
    if (type == 1) gemma_gemv_group_bf16(out.data, out.stride, x.data, x.stride, list, counts, 3, k + 2, rows, k);
    if (type == 2) gemma_gemv_group_f16(out.data, out.stride, x.data, x.stride, list, counts, 3, k + 2, rows, k);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0, o = 0; i < 3; o += counts[i++]) {
            const product p = {x, w[i], type};
            for (int64_t j = 0; j < counts[i]; j++) {
                double error, want = dot(&p, r, j, &error);
                expect("gemv_group", r, o + j, f32_row(out, r)[o + j], want, error);
            }
        }
    }
    expect_gaps_untouched("gemv_group", out);
}

static void geglu_case(int64_t rows, int64_t n, int64_t k, int type) {
    operand x = make_operand(rows, k, k, 4), out = make_operand(rows, n, n + 1, 4);
    const product gate = {x, weights(n, k, 1, type, 1), type}, up = {x, weights(n, k, 1, type, 1), type};
    fill_f32(x, -1, 1);
#define CALL(f) f(out.data, out.stride, x.data, x.stride, gate.w.data, up.w.data, k + 1, rows, n, k)
    if (type == 0) CALL(gemma_gemv_geglu_f32);
    if (type == 1) CALL(gemma_gemv_geglu_bf16);
    if (type == 2) CALL(gemma_gemv_geglu_f16);
#undef CALL
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            double gate_error, up_error, g = dot(&gate, r, o, &gate_error), u = dot(&up, r, o, &up_error);
            // |gelu'| < 1.13; gelu itself to (16 + 8 |u|) UNIT as in elementwise_test
            double gelu = gelu_reference(g), own = fabs(gelu) * UNIT * (16 + 8 * fabs(g + 0.044715 * g * g * g));
            double error = (1.13 * gate_error + own) * (fabs(u) + up_error) + fabs(gelu) * up_error + 1e-37;
            expect("gemv_geglu", r, o, f32_row(out, r)[o], gelu * u, error);
        }
    }
    expect_gaps_untouched("gemv_geglu", out);
}

// All 16 rows at once on this team, against each row alone on one thread: the same bits.
static void bits_case(int64_t n, int64_t k, int type, int64_t rows) {
    operand x = make_operand(rows, k, k, 4), w = weights(n, k, 0, type, 1), all = make_operand(rows, n, n, 4);
    operand alone = make_operand(1, n, n, 4);
    fill_f32(x, -1, 1);
    int32_t threads = gemma_probe_threads();
    gemv(all, x, w, type);
    gemma_set_threads(1);
    for (int64_t r = 0; r < rows; r++) {
        operand one = x;
        one.rows = 1;
        one.data = f32_row(x, r);
        gemv(alone, one, w, type);
        expect_true(memcmp(alone.data, f32_row(all, r), (size_t)n * 4) == 0, "gemv: bits depend on threads or rows");
    }
    gemma_set_threads(threads);
}

void gemv_tests(void) {
    static const int64_t row_counts[] = {1, 2, 3, 4, 5, 7, 8, 12, 16};
    uint64_t seed = 2000;
    for (int type = 0; type < 3; type++) {
        for (int i = 0; i < SIZES; i++) {
            for (int j = 0; j < SIZES; j++, seed++) {
                int64_t n = EDGE_SIZES[i], k = EDGE_SIZES[j], rows = row_counts[seed % 9];
                double range = seed % 3 ? 1 : 1e4;
                begin_case(seed, "rows %lld, n %lld, k %lld, type %d", (long long)rows, (long long)n, (long long)k,
                           type);
                gemv_case(rows, n, k, (int64_t)(seed % 2) * 3, type, range);
                gemv_case(1, n, k, 1, type, range);
                if (n <= 65) group_case(rows, n, k, type);
                geglu_case(rows, n, k, type);
                free_operands();
            }
        }
        begin_case(seed, "large, type %d", type); // shared by the threads
        gemv_case(1, 515, 1152, 0, type, 1);
        group_case(2, 515, 300, type);
        geglu_case(1, 515, 300, type);
        for (int64_t rows = 1; rows <= 16; rows++) bits_case(131, 333, type, rows), free_operands();
    }
}
