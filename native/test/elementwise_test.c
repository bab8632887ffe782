// elementwise_test: embed, add, scale, add_scaled_rows, multiply, match_magnitude, sparsify, geglu, softcap, narrow,
// widen against doubles.
#include "check.h"

#include <math.h>
#include <string.h>

static float scalar_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void embed_case(int64_t rows, int64_t cols, int64_t gap, int type) { // type: 0 f32, 1 bf16, 2 f16
    enum { VOCAB = 5 };
    int32_t ids[64];
    operand table = make_operand(VOCAB, cols, cols + gap, type ? 2 : 4),
            out = make_operand(rows, cols, cols + 2 * gap, 4);
    if (type)
        fill_h16(table, -3, 3, type == 2);
    else
        fill_f32(table, -3, 3);
    for (int64_t r = 0; r < rows; r++)
        ids[r] = (int32_t)(r == 0 ? VOCAB - 1 : below(VOCAB)); // the last row meets the guard
    float scale = 33.9411255f;
    if (type == 0) gemma_embed_f32(out.data, out.stride, table.data, table.stride, ids, rows, cols, scale);
    if (type == 1) gemma_embed_bf16(out.data, out.stride, table.data, table.stride, ids, rows, cols, scale);
    if (type == 2) gemma_embed_f16(out.data, out.stride, table.data, table.stride, ids, rows, cols, scale);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            double stored = type ? widen(h16_row(table, ids[r])[c], type == 2) : f32_row(table, ids[r])[c];
            expect("embed", r, c, f32_row(out, r)[c], (float)(stored * scale), 0); // one rounding: exact to the bit
        }
    }
    expect_gaps_untouched("embed", out);
}

static void add_case(int64_t rows, int64_t cols, int64_t gap) {
    operand out = make_operand(rows, cols, cols + gap, 4), in = make_operand(rows, cols, cols + 2 * gap, 4);
    operand before = make_operand(rows, cols, cols, 4);
    fill_f32(out, -1e4, 1e4);
    fill_f32(in, -1, 1);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(before, r), f32_row(out, r), (size_t)cols * 4);
    gemma_add_f32(out.data, out.stride, in.data, in.stride, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("add", r, c, f32_row(out, r)[c], f32_row(before, r)[c] + f32_row(in, r)[c], 0);
        }
    }
    expect_gaps_untouched("add", out);
}

static void scale_case(int64_t rows, int64_t cols, int64_t gap) {
    operand x = make_operand(rows, cols, cols + gap, 4), before = make_operand(rows, cols, cols, 4);
    fill_f32(x, -1e4, 1e4);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(before, r), f32_row(x, r), (size_t)cols * 4);
    gemma_scale_f32(x.data, x.stride, 0.7071f, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("scale", r, c, f32_row(x, r)[c], f32_row(before, r)[c] * 0.7071f, 0);
        }
    }
    expect_gaps_untouched("scale", x);
}

// Rows go in reverse to every other row of out, the last of which meets the guard.
static void add_scaled_rows_case(int64_t rows, int64_t cols, int64_t gap) {
    int32_t ids[64];
    float factors[64];
    operand out = make_operand(2 * rows, cols, cols + gap, 4), in = make_operand(rows, cols, cols + 2 * gap, 4);
    operand before = make_operand(2 * rows, cols, cols, 4);
    fill_f32(out, -10, 10);
    fill_f32(in, -1, 1);
    for (int64_t r = 0; r < 2 * rows; r++) memcpy(f32_row(before, r), f32_row(out, r), (size_t)cols * 4);
    for (int64_t r = 0; r < rows; r++) {
        ids[r] = (int32_t)(2 * (rows - r) - 1);
        factors[r] = 0.25f + 0.37f * (float)r;
    }
    gemma_add_scaled_rows_f32(out.data, out.stride, in.data, in.stride, ids, factors, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            double product = (double)factors[r] * f32_row(in, r)[c], kept = f32_row(before, ids[r])[c];
            expect("add_scaled_rows", ids[r], c, f32_row(out, ids[r])[c], kept + product,
                   UNIT * (fabs(product) + fabs(kept + product)));
            expect("add_scaled_rows", ids[r] - 1, c, f32_row(out, ids[r] - 1)[c], f32_row(before, ids[r] - 1)[c], 0);
        }
    }
    expect_gaps_untouched("add_scaled_rows", out);
}

static void multiply_case(int64_t rows, int64_t cols, int64_t gap) {
    operand out = make_operand(rows, cols, cols + gap, 4), in = make_operand(rows, cols, cols + 2 * gap, 4);
    operand weight = make_operand(1, cols, cols, 4);
    fill_f32(in, -1e4, 1e4);
    fill_f32(weight, -3, 3);
    gemma_multiply_f32(out.data, out.stride, in.data, in.stride, weight.data, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("multiply", r, c, f32_row(out, r)[c], f32_row(in, r)[c] * f32_row(weight, 0)[c], 0);
        }
    }
    expect_gaps_untouched("multiply", out);
}

static double mean_square(const float *x, int64_t cols, double shift) {
    double sum = 0;
    for (int64_t c = 0; c < cols; c++) sum += (x[c] - shift) * (x[c] - shift);
    return sum / (double)cols;
}

// A sum over n lanes' worth of terms is off by about the root of n roundings; its root, and a few products, by as many.
static void magnitude_case(int64_t rows, int64_t cols, int64_t gap, double range) {
    operand x = make_operand(rows, cols, cols + gap, 4), like = make_operand(rows, cols, cols + 2 * gap, 4);
    operand before = make_operand(rows, cols, cols, 4);
    fill_f32(x, -range, range);
    fill_f32(like, -2, 2);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(before, r), f32_row(x, r), (size_t)cols * 4);
    gemma_match_magnitude_f32(x.data, x.stride, like.data, like.stride, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        double factor =
            sqrt(mean_square(f32_row(like, r), cols, 0)) / sqrt(fmax(mean_square(f32_row(before, r), cols, 0), 1e-5));
        for (int64_t c = 0; c < cols; c++) {
            double wanted = f32_row(before, r)[c] * factor;
            expect("match_magnitude", r, c, f32_row(x, r)[c], wanted, UNIT * (16 + sqrt((double)cols)) * fabs(wanted));
        }
    }
    expect_gaps_untouched("match_magnitude", x);
}

static void sparsify_case(int64_t rows, int64_t cols, int64_t gap, float deviations) {
    operand x = make_operand(rows, cols, cols + gap, 4), before = make_operand(rows, cols, cols, 4);
    fill_f32(x, -3, 5);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(before, r), f32_row(x, r), (size_t)cols * 4);
    gemma_sparsify_f32(x.data, x.stride, deviations, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        double mean = 0;
        for (int64_t c = 0; c < cols; c++) mean += f32_row(before, r)[c] / (double)cols;
        double deviation = sqrt(mean_square(f32_row(before, r), cols, mean)) * (double)deviations;
        for (int64_t c = 0; c < cols; c++) {
            double value = f32_row(before, r)[c], size = fabs(value) + fabs(mean) + fabs(deviation);
            expect("sparsify", r, c, f32_row(x, r)[c], fmax(0, value - mean - deviation),
                   UNIT * (16 + sqrt((double)cols)) * size);
        }
    }
    expect_gaps_untouched("sparsify", x);
}

// exp's argument -2u carries the roundings of u, each worth |2u| UNIT in the result; the rest is a handful more. Far
// left the reference's 1 + tanh is itself no better than a double's rounding.
static double gelu_tolerance(double g) {
    double u = 0.8 * fabs(g + 0.044715 * g * g * g);
    return fabs(gelu_reference(g)) * UNIT * (16 + 8 * u) + fabs(g) * 0x1p-53 + 1e-37;
}

static void geglu_case(int64_t rows, int64_t cols, int64_t gap, double range, int in_place) {
    operand gate = make_operand(rows, cols, cols + gap, 4), up = make_operand(rows, cols, cols + 2 * gap, 4);
    operand out = make_operand(rows, cols, cols + gap, 4), kept = make_operand(rows, cols, cols, 4);
    fill_f32(gate, -range, range);
    fill_f32(up, -2, 2);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(kept, r), f32_row(gate, r), (size_t)cols * 4);
    operand result = in_place ? gate : out;
    gemma_geglu_f32(result.data, result.stride, gate.data, gate.stride, up.data, up.stride, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            double g = f32_row(kept, r)[c], u = f32_row(up, r)[c];
            expect("geglu", r, c, f32_row(result, r)[c], gelu_reference(g) * u, gelu_tolerance(g) * fabs(u) + 1e-37);
        }
    }
    expect_gaps_untouched("geglu", result);
}

static void bias_case(int64_t rows, int64_t cols, int64_t gap, double range) {
    operand added = make_operand(rows, cols, cols + gap, 4), activated = make_operand(rows, cols, cols + 2 * gap, 4);
    operand bias = make_operand(1, cols, cols, 4), kept = make_operand(rows, cols, cols, 4);
    fill_f32(added, -range, range);
    fill_f32(bias, -2, 2);
    for (int64_t r = 0; r < rows; r++) {
        memcpy(f32_row(kept, r), f32_row(added, r), (size_t)cols * 4);
        memcpy(f32_row(activated, r), f32_row(added, r), (size_t)cols * 4);
    }
    gemma_add_bias_f32(added.data, added.stride, bias.data, rows, cols);
    gemma_bias_gelu_f32(activated.data, activated.stride, bias.data, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            float sum = f32_row(kept, r)[c] + f32_row(bias, 0)[c];
            expect("add_bias", r, c, f32_row(added, r)[c], sum, 0);
            expect("bias_gelu", r, c, f32_row(activated, r)[c], gelu_reference(sum), gelu_tolerance(sum));
        }
    }
    expect_gaps_untouched("add_bias", added);
    expect_gaps_untouched("bias_gelu", activated);
}

static void softcap_case(int64_t rows, int64_t cols, int64_t gap, double range, float cap) {
    operand x = make_operand(rows, cols, cols + gap, 4), kept = make_operand(rows, cols, cols, 4);
    fill_f32(x, -range, range);
    for (int64_t r = 0; r < rows; r++) memcpy(f32_row(kept, r), f32_row(x, r), (size_t)cols * 4);
    gemma_softcap_f32(x.data, rows, cols, x.stride, cap);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            double want = cap * tanh(f32_row(kept, r)[c] / (double)cap);
            expect("softcap", r, c, f32_row(x, r)[c], want, fabs(want) * UNIT * 8); // x / cap 2, tanh 2.5 ulp, * cap 1
        }
    }
    expect_gaps_untouched("softcap", x);
}

// To nearest, ties to even, out of doubles: the two neighbours, the nearer, the even one. Apart from the kernel's bit
// trick.
static uint16_t narrowed(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint16_t down = (uint16_t)(bits >> 16), up = down + 1;
    double below_by = fabs((double)x - widen(down, 0)), above_by = fabs(widen(up, 0) - (double)x);
    if ((up & 0x7fff) == 0x7f80) above_by = fabs(ldexp(1, 128) - fabs((double)x)); // past the largest: as if it went on
    return below_by < above_by || (below_by == above_by && down % 2 == 0) ? down : up;
}

static void narrow_case(int64_t rows, int64_t cols, int64_t gap) {
    static const uint32_t special[] = {0,          0x80000000, 1,          0x00008000, 0x00018000, 0x007fffff,
                                       0x3f808000, 0x3f818000, 0x3f808001, 0x3f817fff, 0x7f7f7fff, 0x7f7fffff,
                                       0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffffffff};
    enum { SPECIAL = sizeof special / sizeof *special };
    operand in = make_operand(rows, cols, cols + gap, 4), out = make_operand(rows, cols, cols + 2 * gap, 2);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            uint32_t bits = (uint32_t)below(1ll << 32);
            f32_row(in, r)[c] = scalar_bits(below(2) ? bits : special[below(SPECIAL)]);
        }
    }
    gemma_narrow_bf16(out.data, out.stride, in.data, in.stride, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            float x = f32_row(in, r)[c];
            uint16_t got = h16_row(out, r)[c];
            if (isnan(x))
                expect("narrow_bf16, NaN", r, c, widen(got, 0), NAN, 0);
            else if (isinf(x))
                expect("narrow_bf16, inf", r, c, widen(got, 0), x, 0);
            else
                expect("narrow_bf16, bits", r, c, got, narrowed(x), 0);
        }
    }
    expect_gaps_untouched("narrow_bf16", out);
}

static void widen_case(int64_t rows, int64_t cols, int64_t gap, int is_f16) {
    operand in = make_operand(rows, cols, cols + gap, 2), out = make_operand(rows, cols, cols + 2 * gap, 4);
    for (int64_t r = 0; r < rows; r++) { // any bits at all; a run of every one of them comes with the large shape
        for (int64_t c = 0; c < cols; c++) h16_row(in, r)[c] = (uint16_t)(cols > 257 ? r * cols + c : below(65536));
    }
    if (is_f16)
        gemma_widen_f16(out.data, out.stride, in.data, in.stride, rows, cols);
    else
        gemma_widen_bf16(out.data, out.stride, in.data, in.stride, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++)
            expect("widen", r, c, f32_row(out, r)[c], widen(h16_row(in, r)[c], is_f16), 0);
    }
    expect_gaps_untouched("widen", out);
}

static void all_cases(uint64_t seed, int64_t rows, int64_t cols, int64_t gap) {
    for (int type = 0; type < 3; type++) {
        begin_case(seed, "[%lld, %lld], gap %lld, type %d", (long long)rows, (long long)cols, (long long)gap, type);
        embed_case(rows, cols, gap, type);
        if (type) widen_case(rows, cols, gap, type == 2);
        free_operands();
    }
    begin_case(seed, "[%lld, %lld], gap %lld", (long long)rows, (long long)cols, (long long)gap);
    add_case(rows, cols, gap);
    scale_case(rows, cols, gap);
    add_scaled_rows_case(rows, cols, gap);
    multiply_case(rows, cols, gap);
    magnitude_case(rows, cols, gap, 50);
    magnitude_case(rows, cols, gap, 1e-3); // below the least that is looked at
    sparsify_case(rows, cols, gap, 1.64485363f);
    sparsify_case(rows, cols, gap, -0.5f);
    narrow_case(rows, cols, gap);
    free_operands();
    static const double ranges[] = {1e-3, 6, 1e4, 1e30};
    for (int i = 0; i < 4; i++) {
        begin_case(seed, "[%lld, %lld], gap %lld, values to %g", (long long)rows, (long long)cols, (long long)gap,
                   ranges[i]);
        geglu_case(rows, cols, gap, ranges[i], i % 2);
        bias_case(rows, cols, gap, ranges[i]);
        softcap_case(rows, cols, gap, ranges[i], i % 2 ? 30 : 50);
        free_operands();
    }
}

void elementwise_tests(void) {
    uint64_t seed = 1;
    for (int i = 0; i < SIZES; i++) {
        for (int64_t rows = 1; rows <= 3; rows++) {
            all_cases(seed++, rows, EDGE_SIZES[i], 0);
            all_cases(seed++, rows, EDGE_SIZES[i], 3);
        }
    }
    all_cases(seed++, 1, 70001, 0); // one long row, shared by columns
    all_cases(seed++, 33, 2049, 1);
}
