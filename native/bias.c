// bias: x[r] += bias, and x[r] = gelu(x[r] + bias), gelu the tanh approximation (exp.h, vgelu)
//   x f32 [rows, cols] in place, bias f32 [cols]
#include "exp.h"
#include "team.h"

static void add_bias_row(float *x, const float *bias, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(x + i, load_n(x + i, n - i) + load_n(bias + i, n - i), n - i);
    }
}

static void bias_gelu_row(float *x, const float *bias, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(x + i, vgelu(load_n(x + i, n - i) + load_n(bias + i, n - i)), n - i);
    }
}

void TIER(gemma_add_bias_f32)(float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols / 8, r, c, n, add_bias_row(x + r * x_stride + c, bias + c, n));
}

void TIER(gemma_bias_gelu_f32)(float *x, int64_t x_stride, const float *bias, int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols, r, c, n, bias_gelu_row(x + r * x_stride + c, bias + c, n));
}
