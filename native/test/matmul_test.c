// matmul_test: quantized activations times panels, against the plain definition: exactly where f32 loses nothing, and
// within the roundings of the sum over blocks elsewhere; and that bits depend neither on threads nor on the rows
// beside.
#include "quantized.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    operand panels, rows; // rows: the dequantized weights, f32
} matrix;

static matrix make_matrix(int format, int64_t n, int64_t k, int exact) {
    matrix m = {packed(format, n, k), make_operand(n, k, k, 4)};
    fill_f32(m.rows, -1, 1);
    for (int64_t r = 0; exact && r < n; r++) {
        for (int64_t c = 0; c < k; c++) f32_row(m.rows, r)[c] = (float)(format == 0 ? below(255) - 127 : below(16) - 8);
        for (int64_t c = 0; c < k; c += 32) f32_row(m.rows, r)[c + below(32)] = format == 0 ? 127 : -8; // d = 1
    }
    pack_f32(format, m.panels, m.rows);
    unpack(format, m.rows, m.panels, 0);
    return m;
}

static operand quantized(int format, operand x) {
    int64_t bytes = gemma_quantized_bytes(x.rows, x.cols);
    operand q = make_operand(1, bytes, bytes, 1);
    if (format == 0)
        gemma_quantize_rows_q8_0(q.data, x.data, x.stride, x.rows, x.cols);
    else
        gemma_quantize_rows_q4_0(q.data, x.data, x.stride, x.rows, x.cols);
    return q;
}

static operand make_rows(int64_t rows, int64_t k, int exact) {
    operand x = make_operand(rows, k, k + 3, 4);
    fill_f32(x, -1, 1);
    for (int64_t r = 0; exact && r < rows; r++) {
        for (int64_t c = 0; c < k; c++) f32_row(x, r)[c] = (float)(below(255) - 127);
        for (int64_t c = 0; c < k; c += 32) f32_row(x, r)[c + below(32)] = -127; // scale = 1
    }
    return x;
}

// The product of what was quantized, and what f32 may make of it: per block a conversion, the scales' product, the
// product and the sum, and the chain of sums.
static double dot(operand x, int64_t r, operand w, int64_t o, double *error) {
    double total = 0, size = 0;
    for (int64_t c = 0; c < x.cols; c += 32) {
        reference_activation a = quantize_activation_reference(f32_row(x, r) + c);
        double block = 0;
        for (int j = 0; j < 32; j++) block += (double)a.q[j] * f32_row(w, o)[c + j];
        total += block * a.scale;
        size += fabs(block * a.scale);
    }
    *error = size * UNIT * ((double)x.cols / 32 + 4) + 1e-37;
    return total;
}

static void matmul(int format, operand out, operand q, operand panels, int64_t n, int64_t k) {
    if (format == 0)
        gemma_matmul_q8_0(out.data, out.stride, q.data, panels.data, out.rows, n, k);
    else
        gemma_matmul_q4_0(out.data, out.stride, q.data, panels.data, out.rows, n, k);
}

static void expect_product(const char *what, operand out, int64_t column, operand x, operand w, int exact) {
    for (int64_t r = 0; r < out.rows; r++) {
        for (int64_t o = 0; o < w.rows; o++) {
            double error, want = dot(x, r, w, o, &error);
            expect(what, r, column + o, f32_row(out, r)[column + o], want, exact ? 0 : error);
        }
    }
    expect_gaps_untouched(what, out);
}

// exact: all scales are 1 and sums stay below 2^24, so that every step is exact.
static void matmul_case(int format, int64_t rows, int64_t n, int64_t k, int exact) {
    operand x = make_rows(rows, k, exact), out = make_operand(rows, n, n + 1, 4);
    matrix w = make_matrix(format, n, k, exact);
    matmul(format, out, quantized(format, x), w.panels, n, k);
    expect_product("matmul", out, 0, x, w.rows, exact);
}

// The largest sums: every weight -128 (which only a file's blocks can hold; Q4_0: -8), every activation 127 or -127.
static void extreme_case(int format, int64_t rows, int64_t n, int64_t k, float sign) {
    const int64_t bytes = block_size(format), blocks = n * k / 32;
    operand x = make_operand(rows, k, k, 4), file = make_operand(1, blocks * bytes, blocks * bytes, 1);
    operand panels = packed(format, n, k), out = make_operand(rows, n, n, 4);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < k; c++) f32_row(x, r)[c] = sign * 127;
    }
    for (int64_t b = 0; b < blocks; b++) {
        unsigned char *block = (unsigned char *)file.data + b * bytes;
        memset(block, format == 0 ? 0x80 : 0, (size_t)bytes);
        block[0] = 0, block[1] = 0x3c; // d = 1
    }
    if (format == 0)
        gemma_pack_q8_0_blocks(panels.data, file.data, n, k);
    else
        gemma_pack_q4_0_blocks(panels.data, file.data, n, k);
    matmul(format, out, quantized(format, x), panels, n, k);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            expect("matmul", r, o, f32_row(out, r)[o], -127 * (double)sign * (format == 0 ? 128 : 8) * (double)k, 0);
        }
    }
}

static void group_case(int format, int64_t rows, int64_t n, int64_t k) {
    const int64_t counts[3] = {n, 1, n / 2 + 1}, total = n + 1 + n / 2 + 1;
    operand x = make_rows(rows, k, 0), out = make_operand(rows, total, total + 1, 4), q = quantized(format, x);
    matrix w[3];
    const void *panels[3];
    for (int i = 0; i < 3; i++) {
        w[i] = make_matrix(format, counts[i], k, 0);
        panels[i] = w[i].panels.data;
    }
    if (format == 0)
        gemma_matmul_group_q8_0(out.data, out.stride, q.data, panels, counts, 3, rows, k);
    else
        gemma_matmul_group_q4_0(out.data, out.stride, q.data, panels, counts, 3, rows, k);
    for (int64_t i = 0, o = 0; i < 3; o += counts[i++]) expect_product("matmul_group", out, o, x, w[i].rows, 0);
}

static void geglu_case(int format, int64_t rows, int64_t n, int64_t k) {
    operand x = make_rows(rows, k, 0), out = make_operand(rows, n, n + 1, 4), q = quantized(format, x);
    matrix gate = make_matrix(format, n, k, 0), up = make_matrix(format, n, k, 0);
    if (format == 0) {
        gemma_matmul_geglu_q8_0(out.data, out.stride, q.data, gate.panels.data, up.panels.data, rows, n, k);
    } else {
        gemma_matmul_geglu_q4_0(out.data, out.stride, q.data, gate.panels.data, up.panels.data, rows, n, k);
    }
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            double gate_error, up_error, g = dot(x, r, gate.rows, o, &gate_error), u = dot(x, r, up.rows, o, &up_error);
            // |gelu'| < 1.13; gelu itself to (16 + 8 |u|) UNIT as in elementwise_test
            double gelu = gelu_reference(g), own = fabs(gelu) * UNIT * (16 + 8 * fabs(g + 0.044715 * g * g * g));
            double error = (1.13 * gate_error + own) * (fabs(u) + up_error) + fabs(gelu) * up_error + 1e-37;
            expect("matmul_geglu", r, o, f32_row(out, r)[o], gelu * u, error);
        }
    }
    expect_gaps_untouched("matmul_geglu", out);
}

// All rows at once on this team, against each row alone on one thread: the same bits.
static void bits_case(int format, int64_t rows, int64_t n, int64_t k) {
    operand x = make_rows(rows, k, 0), all = make_operand(rows, n, n, 4), alone = make_operand(1, n, n, 4);
    matrix w = make_matrix(format, n, k, 0);
    int32_t threads = gemma_probe_threads();
    matmul(format, all, quantized(format, x), w.panels, n, k);
    gemma_set_threads(1);
    for (int64_t r = 0; r < rows; r++) {
        operand one = x;
        one.rows = 1;
        one.data = f32_row(x, r);
        matmul(format, alone, quantized(format, one), w.panels, n, k);
        expect_true(memcmp(alone.data, f32_row(all, r), (size_t)n * 4) == 0, "matmul: bits depend on threads or rows");
    }
    gemma_set_threads(threads);
}

// A NaN spoils its own row alone.
static void nan_case(int64_t rows, int64_t k) {
    operand x = make_rows(rows, k, 0), out = make_operand(rows, 16, 16, 4);
    matrix w = make_matrix(0, 16, k, 0);
    f32_row(x, rows / 2)[k - 7] = NAN;
    matmul(0, out, quantized(0, x), w.panels, 16, k);
    for (int64_t r = 0; r < rows; r++) {
        expect_true(isnan(f32_row(out, r)[5]) == (r == rows / 2), "matmul: NaN not in its row, or elsewhere");
    }
}

void matmul_tests(void) {
    static const int64_t row_counts[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 33, 47};
    static const int64_t outputs[] = {1, 7, 16, 17, 33, 65}, depths[] = {32, 64, 96, 288};
    uint64_t seed = 7000;
    for (int format = 0; format < 2; format++) {
        for (int i = 0; i < 19; i++) {
            for (int j = 0; j < 4; j++, seed++) {
                int64_t rows = row_counts[i], n = outputs[seed % 6], k = depths[j];
                begin_case(seed, "format %d, rows %lld, n %lld, k %lld", format, (long long)rows, (long long)n,
                           (long long)k);
                matmul_case(format, rows, n, k, 0);
                matmul_case(format, rows, n, k, 1);
                free_operands();
                extreme_case(format, rows, n, k, seed % 2 ? 1 : -1);
                group_case(format, rows, n, k);
                free_operands();
                geglu_case(format, rows, n, k);
                bits_case(format, rows, n, k);
                free_operands();
                nan_case(rows, k);
                free_operands();
            }
        }
        begin_case(seed++, "format %d, large", format); // shared by the threads, and in several chunks of panels
        matmul_case(format, 37, 515, 1152, 0);
        group_case(format, 2, 515, 288);
        free_operands();
        geglu_case(format, 19, 515, 1152);
        bits_case(format, 35, 515, 1152);
        free_operands();
    }
}
