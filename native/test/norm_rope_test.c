// norm_rope_test: the RMS norms, the rotary table, and norm + rotation per head, against doubles.
#include "check.h"

#include <math.h>
#include <string.h>

// A sum of n squares in f32 over at least 4 lanes of 4, then a tree and a few roundings: relative error of the norm.
static double norm_error(int64_t n) { return UNIT * ((double)n / 16 + 12); }

static double inverse_rms(const float *x, int64_t n, float eps) {
    double total = 0;
    for (int64_t i = 0; i < n; i++) total += (double)x[i] * x[i];
    return 1 / sqrt(total / (double)n + eps);
}

static void norm_case(int64_t rows, int64_t cols, int64_t gap, double range, int in_place) {
    const float eps = 1e-6f;
    operand in = make_operand(rows, cols, cols + gap, 4), weight = make_operand(1, cols, cols, 4);
    operand kept = make_operand(rows, cols, cols, 4), residual = make_operand(rows, cols, cols + 2 * gap, 4);
    operand before = make_operand(rows, cols, cols, 4), out = make_operand(rows, cols, cols + 3 * gap, 4);
    fill_f32(in, -range, range);
    fill_f32(weight, 0, 3);
    fill_f32(residual, -5, 5);
    for (int64_t r = 0; r < rows; r++) {
        memcpy(f32_row(kept, r), f32_row(in, r), (size_t)cols * 4);
        memcpy(f32_row(before, r), f32_row(residual, r), (size_t)cols * 4);
    }
    operand result = in_place ? in : out;
    gemma_rms_norm_add_f32(residual.data, residual.stride, in.data, in.stride, weight.data, rows, cols, eps);
    gemma_rms_norm_f32(result.data, result.stride, in.data, in.stride, weight.data, rows, cols, eps);
    for (int64_t r = 0; r < rows; r++) {
        double inverse = inverse_rms(f32_row(kept, r), cols, eps);
        for (int64_t c = 0; c < cols; c++) {
            double want = f32_row(kept, r)[c] * inverse * f32_row(weight, 0)[c],
                   error = fabs(want) * norm_error(cols) + 1e-37;
            double base = f32_row(before, r)[c];
            expect("rms_norm", r, c, f32_row(result, r)[c], want, error);
            expect("rms_norm_add", r, c, f32_row(residual, r)[c], base + want, error + UNIT * fabs(base + want));
        }
    }
    expect_gaps_untouched("rms_norm", result);
    expect_gaps_untouched("rms_norm_add", residual);
}

// Subtracting the mean costs a rounding of the largest element; the variance of few elements may be small beside it.
static void layer_norm_case(int64_t rows, int64_t cols, int64_t gap, double centre, int in_place) {
    const float eps = 1e-6f;
    operand in = make_operand(rows, cols, cols + gap, 4), kept = make_operand(rows, cols, cols, 4);
    operand weight = make_operand(1, cols, cols, 4), bias = make_operand(1, cols, cols, 4);
    operand out = make_operand(rows, cols, cols + 3 * gap, 4);
    fill_f32(in, centre - 3, centre + 3);
    fill_f32(weight, -2, 2);
    fill_f32(bias, -2, 2);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(kept, r), f32_row(in, r), (size_t)cols * 4);
    operand result = in_place ? in : out;
    gemma_layer_norm_f32(result.data, result.stride, in.data, in.stride, weight.data, bias.data, rows, cols, eps);
    for (int64_t r = 0; r < rows; r++) {
        const float *x = f32_row(kept, r);
        double mean = 0, variance = 0;
        for (int64_t c = 0; c < cols; c++) mean += (double)x[c] / (double)cols;
        for (int64_t c = 0; c < cols; c++) variance += (x[c] - mean) * (x[c] - mean) / (double)cols;
        double inverse = 1 / sqrt(variance + eps), shift = 4 * UNIT * (fabs(centre) + 3) * inverse;
        for (int64_t c = 0; c < cols; c++) {
            double normed = (x[c] - mean) * inverse, w = f32_row(weight, 0)[c], b = f32_row(bias, 0)[c];
            double error = (fabs(normed) * (norm_error(cols) + shift) + shift) * fabs(w) + 4 * UNIT * fabs(b);
            expect("layer_norm", r, c, f32_row(result, r)[c], normed * w + b, error + 1e-37);
        }
    }
    expect_gaps_untouched("layer_norm", result);
}

static void table_case(int64_t rows, int64_t half) {
    operand cosines = make_operand(rows, half, half, 4), sines = make_operand(rows, half, half, 4);
    operand inv_freq = make_operand(1, half, half, 8), positions = make_operand(1, rows, rows, 4);
    for (int64_t i = 0; i < half; i++) ((double *)inv_freq.data)[i] = pow(1e6, -(double)i / (double)half);
    for (int64_t r = 0; r < rows; r++) ((int32_t *)positions.data)[r] = (int32_t)below(131072);
    gemma_rope_table_f32(cosines.data, sines.data, inv_freq.data, positions.data, rows, half);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t i = 0; i < half; i++) {
            double angle = ((int32_t *)positions.data)[r] * ((double *)inv_freq.data)[i];
            expect("rope_table, cos", r, i, f32_row(cosines, r)[i], (float)cos(angle), 0);
            expect("rope_table, sin", r, i, f32_row(sines, r)[i], (float)sin(angle), 0);
        }
    }
}

// Rows of [heads, head_dim] with a gap between heads and one between rows; in place or into another layout (heads
// outermost).
static void head_case(int64_t rows, int64_t heads, int64_t head_dim, int64_t rope_dims, int64_t gap, int has_norm,
                      int in_place) {
    const float eps = 1e-6f, scale = 0.0625f;
    const int64_t half = rope_dims / 2, head_stride = head_dim + gap, row_stride = heads * head_stride + gap;
    operand in = make_operand(1, (rows - 1) * row_stride + (heads - 1) * head_stride + head_dim, 0, 4);
    operand kept = make_operand(1, in.cols, 0, 4), out = make_operand(heads * rows, head_dim, head_stride, 4);
    operand weight = make_operand(1, head_dim, 0, 4), cosines = make_operand(rows, half ? half : 1, half, 4);
    operand sines = make_operand(rows, half ? half : 1, half, 4);
    fill_f32(in, -4, 4);
    fill_f32(weight, 0, 2);
    fill_f32(cosines, -1, 1);
    fill_f32(sines, -1, 1);
    memcpy(kept.data, in.data, (size_t)in.cols * 4);
    int64_t out_row = in_place ? row_stride : head_stride, out_head = in_place ? head_stride : rows * head_stride;
    float *result = in_place ? in.data : out.data;
    // In two parts, so that the second begins at a row of its own.
    const int64_t parts[] = {0, rows / 2, rows};
    for (int i = 0; i < 2; i++) {
        gemma_head_norm_rope(result, GEMMA_F32, parts[i], out_row, out_head, in.data, parts[i], row_stride, head_stride,
                             has_norm ? weight.data : NULL, eps, half ? cosines.data : NULL,
                             half ? sines.data : NULL, rope_dims, scale, parts[i + 1] - parts[i], heads, head_dim);
    }
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t h = 0; h < heads; h++) {
            const float *x = (float *)kept.data + r * row_stride + h * head_stride;
            double factor = (has_norm ? inverse_rms(x, head_dim, eps) : 1) * scale;
            for (int64_t d = 0; d < head_dim; d++) {
                int64_t pair = d < half ? d + half : d - half, i = d < half ? d : d - half;
                double own = x[d] * factor * (has_norm ? f32_row(weight, 0)[d] : 1), want = own, size = fabs(own);
                if (d < rope_dims) {
                    double other = x[pair] * factor * (has_norm ? f32_row(weight, 0)[pair] : 1);
                    double c = f32_row(cosines, r)[i], s = f32_row(sines, r)[i];
                    want = own * c + (d < half ? -other : other) * s;
                    size = fabs(own * c) + fabs(other * s);
                }
                expect("head_norm_rope", r * heads + h, d, result[r * out_row + h * out_head + d], want,
                       size * norm_error(head_dim) + 1e-37);
            }
        }
    }
    if (in_place) return;
    expect_gaps_untouched("head_norm_rope", out);
    operand halves = make_operand(heads * rows, head_dim, head_stride, 2), wanted = make_operand(1, head_dim, 0, 2);
    gemma_head_norm_rope(halves.data, GEMMA_BF16, 0, out_row, out_head, in.data, 0, row_stride, head_stride,
                         has_norm ? weight.data : NULL, eps, half ? cosines.data : NULL, half ? sines.data : NULL,
                         rope_dims, scale, rows, heads, head_dim);
    for (int64_t i = 0; i < heads * rows; i++) {
        gemma_narrow_bf16(wanted.data, head_dim, f32_row(out, i), head_dim, 1, head_dim);
        const uint16_t *got = (uint16_t *)halves.data + i * head_stride;
        for (int64_t d = 0; d < head_dim; d++) {
            expect("head_norm_rope, bf16", i, d, got[d], ((uint16_t *)wanted.data)[d], 0);
        }
    }
    expect_gaps_untouched("head_norm_rope, bf16", halves);
}

void norm_rope_tests(void) {
    static const double ranges[] = {1e-3, 3, 1e15};
    uint64_t seed = 1000;
    for (int i = 0; i < SIZES; i++) {
        int64_t cols = EDGE_SIZES[i], dims[] = {0, 2, cols / 2 / 2 * 2, cols / 2 * 2};
        for (int64_t rows = 1; rows <= 3; rows++) {
            for (int j = 0; j < 3; j++, seed++) {
                begin_case(seed, "[%lld, %lld], values to %g", (long long)rows, (long long)cols, ranges[j]);
                norm_case(rows, cols, j, ranges[j], (int)(seed % 2));
                layer_norm_case(rows, cols, j, j * 50.0, (int)(seed % 2));
                table_case(rows, cols);
                free_operands();
            }
            for (int j = 0; j < 16; j++, seed++) {
                int64_t rope_dims = dims[j / 4] <= cols ? dims[j / 4] : 0;
                begin_case(seed, "rows %lld, head_dim %lld, rope_dims %lld, norm %d, in place %d", (long long)rows,
                           (long long)cols, (long long)rope_dims, j & 1, j & 2);
                head_case(rows, 1 + rows, cols, rope_dims, rows - 1, j & 1, j & 2);
                free_operands();
            }
        }
    }
    begin_case(seed++, "large"); // shared by the threads
    norm_case(65, 1153, 1, 3, 0);
    layer_norm_case(65, 1153, 1, -20, 0);
    table_case(65, 128);
    head_case(65, 4, 256, 256, 0, 1, 1);
    free_operands();
}
