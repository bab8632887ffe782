// recurrence_test: the kernels of recurrent blocks against doubles, in one call and cut in two with the state between.
#include "check.h"

#include <math.h>
#include <string.h>

static double sigmoid_reference(double x) { return 1 / (1 + exp(-x)); }

// Rows of the whole sequence; the state between two calls is what the kernel wrote.
static void conv_case(int64_t rows, int64_t split, int64_t cols, int64_t gap, int64_t width) {
    operand in = make_operand(rows, cols, cols + gap, 4), out = make_operand(rows, cols, cols + 2 * gap, 4);
    operand taps = make_operand(width, cols, cols, 4), bias = make_operand(1, cols, cols, 4);
    operand middle = make_operand(width - 1, cols, cols, 4), next = make_operand(width - 1, cols, cols, 4);
    fill_f32(in, -3, 3);
    fill_f32(taps, -1, 1);
    fill_f32(bias, -1, 1);
    const float *state = NULL;
    if (split > 0) {
        gemma_causal_conv_f32(out.data, out.stride, in.data, in.stride, taps.data, bias.data, NULL, middle.data, 0,
                              split, cols, width);
        state = middle.data;
    }
    gemma_causal_conv_f32(out.data, out.stride, in.data, in.stride, taps.data, bias.data, state, next.data, split,
                          rows - split, cols, width);
    for (int64_t c = 0; c < cols; c++) {
        for (int64_t r = 0; r < rows; r++) {
            double want = f32_row(bias, 0)[c], size = fabs(want);
            for (int64_t t = 0; t < width; t++) {
                int64_t row = r - (width - 1) + t;
                double term = row < 0 ? 0 : (double)f32_row(taps, t)[c] * f32_row(in, row)[c];
                want += term;
                size += fabs(term);
            }
            expect("causal_conv", r, c, f32_row(out, r)[c], want, 2 * (double)width * UNIT * size);
        }
        for (int64_t i = 0; i < width - 1; i++) {
            int64_t row = rows - (width - 1) + i;
            expect("causal_conv, state", i, c, f32_row(next, i)[c], row < 0 ? 0 : f32_row(in, row)[c], 0);
        }
    }
    expect_gaps_untouched("causal_conv", out);
}

static void run_rg_lru(operand out, operand x, operand input_gate, operand recurrence_gate, operand y, operand rate,
                       const float *state, operand next, int64_t from, int64_t rows) {
    gemma_rg_lru_f32(out.data, out.stride, x.data, x.stride, input_gate.data, input_gate.stride, recurrence_gate.data,
                     recurrence_gate.stride, y.data, y.stride, rate.data, state, next.data, from, rows, x.cols);
}

// Errors of h add up as h itself fades: a few ulp of each term, weighted as the terms are.
static void rg_lru_case(int64_t rows, int64_t split, int64_t cols, int64_t gap, double range) {
    operand x = make_operand(rows, cols, cols + gap, 4), y = make_operand(rows, cols, cols + gap, 4);
    operand input_gate = make_operand(rows, cols, cols + 2 * gap, 4);
    operand recurrence_gate = make_operand(rows, cols, cols + 3 * gap, 4);
    operand rate = make_operand(1, cols, cols, 4), out = make_operand(rows, cols, cols + gap, 4);
    operand middle = make_operand(1, cols, cols, 4), next = make_operand(1, cols, cols, 4);
    fill_f32(x, -3, 3);
    fill_f32(y, -3, 3);
    fill_f32(input_gate, -range, range);
    fill_f32(recurrence_gate, -range, range);
    for (int64_t c = 0; c < cols; c++) f32_row(rate, 0)[c] = (float)-exp(uniform(-12, 3));
    if (split > 0) run_rg_lru(out, x, input_gate, recurrence_gate, y, rate, NULL, middle, 0, split);
    run_rg_lru(out, x, input_gate, recurrence_gate, y, rate, split > 0 ? middle.data : NULL, next, split, rows - split);
    for (int64_t c = 0; c < cols; c++) {
        double h = 0, error = 0;
        for (int64_t r = 0; r < rows; r++) {
            double log_a = f32_row(rate, 0)[c] * sigmoid_reference(f32_row(recurrence_gate, r)[c]);
            double input = sigmoid_reference(f32_row(input_gate, r)[c]) * f32_row(x, r)[c];
            double term = r == 0 ? input : sqrt(-expm1(2 * log_a)) * input;
            // 1e-18: sqrt(1 - a^2) where log a is too small for f32
            error = error * exp(log_a) + UNIT * (8 * fabs(h) + 24 * fabs(term)) + 1e-18 * fabs(input) + 1e-37;
            h = exp(log_a) * h + term;
            double gelu = gelu_reference(f32_row(y, r)[c]);
            expect("rg_lru", r, c, f32_row(out, r)[c], h * gelu,
                   error * fabs(gelu) + 24 * UNIT * fabs(h) * (fabs(gelu) + 1e-2));
        }
        expect("rg_lru, state", 0, c, f32_row(next, 0)[c], h, error);
    }
    expect_gaps_untouched("rg_lru", out);
}

static void block_diagonal_case(int64_t rows, int64_t blocks, int64_t n, int64_t k, int64_t gap, int type) {
    operand x = make_operand(rows, blocks * k, blocks * k + gap, 4);
    operand out = make_operand(rows, blocks * n, blocks * n + 2 * gap, 4);
    operand w = make_operand(blocks * k, n, n, type ? 2 : 4), bias = make_operand(1, blocks * n, blocks * n, 4);
    fill_f32(x, -2, 2);
    fill_f32(bias, -1, 1);
    if (type)
        fill_h16(w, -1, 1, type == 2);
    else
        fill_f32(w, -1, 1);
    if (type == 0)
        gemma_block_diagonal_f32(out.data, out.stride, x.data, x.stride, w.data, bias.data, rows, blocks, n, k);
    else if (type == 1)
        gemma_block_diagonal_bf16(out.data, out.stride, x.data, x.stride, w.data, bias.data, rows, blocks, n, k);
    else
        gemma_block_diagonal_f16(out.data, out.stride, x.data, x.stride, w.data, bias.data, rows, blocks, n, k);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < blocks * n; c++) {
            double want = f32_row(bias, 0)[c], size = fabs(want);
            for (int64_t i = 0; i < k; i++) {
                int64_t row = c / n * k + i;
                double weight = type ? widen(h16_row(w, row)[c % n], type == 2) : f32_row(w, row)[c % n];
                want += f32_row(x, r)[row] * weight;
                size += fabs(f32_row(x, r)[row] * weight);
            }
            expect("block_diagonal", r, c, f32_row(out, r)[c], want, UNIT * ((double)k + 2) * size);
        }
    }
    expect_gaps_untouched("block_diagonal", out);
}

void recurrence_tests(void) {
    uint64_t seed = 1;
    for (int i = 0; i < SIZES; i++) {
        for (int64_t rows = 1; rows <= 6; rows++) {
            const int64_t cols = EDGE_SIZES[i], gap = rows % 3, split = below(rows);
            const int64_t width = 1 + i % 5;
            begin_case(seed++, "[%lld, %lld], gap %lld, split %lld, width %lld", (long long)rows, (long long)cols,
                       (long long)gap, (long long)split, (long long)width);
            conv_case(rows, split, cols, gap, width);
            rg_lru_case(rows, split, cols, gap, i % 2 ? 4 : 100);
            free_operands();
            for (int type = 0; type < 3; type++) {
                begin_case(seed++, "[%lld, 3 of %lld], gap %lld, type %d", (long long)rows, (long long)cols,
                           (long long)gap, type);
                block_diagonal_case(rows, 3, cols, 1 + rows * 7, gap, type);
                free_operands();
            }
        }
    }
    begin_case(seed++, "large");
    conv_case(37, 20, 2050, 1, 4); // shared by the team
    rg_lru_case(300, 111, 1030, 1, 6);
    block_diagonal_case(9, 4, 130, 128, 3, 1);
    free_operands();
}
