// gguf_blocks_test: GGUF's blocks in place, against values computed one by one from the format's definition, in double.
#include "check.h"
#include "quantized.h"

#include <math.h>
#include <string.h>

typedef struct {
    int32_t number, cols, bytes;
    double (*value)(const unsigned char *block, int column);
    int halves[2]; // where the block keeps f16 numbers, -1 for none
} definition;

static double half(const unsigned char *p) {
    uint16_t bits;
    memcpy(&bits, p, 2);
    return widen(bits, 1);
}

// Q4 and Q5: column c < 16 in the low half of byte c, c >= 16 in the high half of byte c - 16.
static int nibble(const unsigned char *quants, int c) { return c < 16 ? quants[c] & 15 : quants[c - 16] >> 4; }

static int fifth(const unsigned char *bits, int c) { return (bits[c / 8] >> c % 8 & 1) * 16; }

static double q4_0(const unsigned char *b, int c) { return half(b) * (nibble(b + 2, c) - 8); }
static double q4_1(const unsigned char *b, int c) { return half(b) * nibble(b + 4, c) + half(b + 2); }
static double q5_0(const unsigned char *b, int c) { return half(b) * (nibble(b + 6, c) + fifth(b + 2, c) - 16); }
static double q5_1(const unsigned char *b, int c) {
    return half(b) * (nibble(b + 8, c) + fifth(b + 4, c)) + half(b + 2);
}
static double q8_0(const unsigned char *b, int c) { return half(b) * (signed char)b[2 + c]; }
static double iq4_nl(const unsigned char *b, int c) {
    static const int levels[] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
    return half(b) * levels[nibble(b + 2, c)];
}

// 2 bits of column c: byte c mod 32 of its half of 128, pair (c / 32) mod 4.
static int two_bits(const unsigned char *quants, int c) { return quants[c / 128 * 32 + c % 32] >> c / 32 % 4 * 2 & 3; }

static double q2_k(const unsigned char *b, int c) {
    int scale = b[c / 16];
    return half(b + 80) * (scale & 15) * two_bits(b + 16, c) - half(b + 82) * (scale >> 4);
}

// 16 scales of 6 bits: 4 low bits in bytes 0 to 7 (low halves first), 2 high bits in bytes 8 to 11.
static double q3_k(const unsigned char *b, int c) {
    int s = c / 16, low = s < 8 ? b[96 + s] & 15 : b[96 + s - 8] >> 4, high = b[104 + s % 4] >> s / 4 * 2 & 3;
    int quant = two_bits(b + 32, c) - ((b[c % 32] >> c / 32 & 1) ? 0 : 4);
    return half(b + 108) * (low + 16 * high - 32) * quant;
}

// 8 scales and 8 minima of 6 bits in 12 bytes.
static void six_bits(const unsigned char *p, int s, int *scale, int *min) {
    *scale = s < 4 ? p[s] & 63 : (p[s + 4] & 15) + (p[s - 4] >> 6) * 16;
    *min = s < 4 ? p[s + 4] & 63 : (p[s + 4] >> 4) + (p[s] >> 6) * 16;
}

static int four_bits(const unsigned char *quants, int c) {
    return quants[c / 64 * 32 + c % 32] >> (c % 64 < 32 ? 0 : 4) & 15;
}

static double q4_k(const unsigned char *b, int c) {
    int scale, min;
    six_bits(b + 4, c / 32, &scale, &min);
    return half(b) * scale * four_bits(b + 16, c) - half(b + 2) * min;
}

static double q5_k(const unsigned char *b, int c) {
    int scale, min;
    six_bits(b + 4, c / 32, &scale, &min);
    return half(b) * scale * (four_bits(b + 48, c) + (b[16 + c % 32] >> c / 32 & 1) * 16) - half(b + 2) * min;
}

static double q6_k(const unsigned char *b, int c) {
    int group = c / 128, run = c % 128 / 32, l = c % 32;
    int low = b[group * 64 + run % 2 * 32 + l] >> run / 2 * 4 & 15, high = b[128 + group * 32 + l] >> run * 2 & 3;
    return half(b + 208) * (signed char)b[192 + c / 16] * (low + 16 * high - 32);
}

static const definition TYPES[] = {
    {2, 32, 18, q4_0, {0, -1}},    {3, 32, 20, q4_1, {0, 2}},       {6, 32, 22, q5_0, {0, -1}},
    {7, 32, 24, q5_1, {0, 2}},     {8, 32, 34, q8_0, {0, -1}},      {20, 32, 18, iq4_nl, {0, -1}},
    {10, 256, 84, q2_k, {80, 82}}, {11, 256, 110, q3_k, {108, -1}}, {12, 256, 144, q4_k, {0, 2}},
    {13, 256, 176, q5_k, {0, 2}},  {14, 256, 210, q6_k, {208, -1}},
};

// Bytes of any value; scales of either sign, from subnormal to about 2, zero among them.
static operand random_blocks(const definition *type, int64_t rows, int64_t cols) {
    const int64_t blocks = cols / type->cols;
    operand m = make_operand(rows, blocks * type->bytes, blocks * type->bytes, 1);
    unsigned char *bytes = m.data;
    for (int64_t i = 0; i < m.rows * m.cols; i++) bytes[i] = (unsigned char)below(256);
    for (int64_t b = 0; b < rows * blocks; b++) {
        for (int h = 0; h < 2; h++) {
            uint16_t bits = (uint16_t)(below(0x4000) | below(2) << 15);
            if (below(16) == 0) bits &= 0x8000;
            if (type->halves[h] >= 0) memcpy(bytes + b * type->bytes + type->halves[h], &bits, 2);
        }
    }
    return m;
}

static double value_at(const definition *type, operand blocks, int64_t row, int64_t col) {
    const unsigned char *at = (unsigned char *)blocks.data + row * blocks.cols + col / type->cols * type->bytes;
    return type->value(at, (int)(col % type->cols));
}

// Values are rounded once, from double to f32.
static void widen_case(const definition *type, int64_t rows, int64_t cols, int64_t gap) {
    operand blocks = random_blocks(type, rows, cols), out = make_operand(rows, cols, cols + gap, 4);
    gemma_widen_blocks(out.data, out.stride, blocks.data, type->number, rows, cols);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("widen_blocks", r, c, f32_row(out, r)[c], (float)value_at(type, blocks, r, c), 0);
        }
    }
    expect_gaps_untouched("widen_blocks", out);

    int32_t ids[5] = {(int32_t)(rows - 1), 0, (int32_t)(rows / 2), 0, (int32_t)(rows - 1)};
    operand gathered = make_operand(5, cols, cols + gap, 4);
    gemma_embed_blocks(gathered.data, gathered.stride, blocks.data, type->number, ids, 5, cols, 33.9411255f);
    for (int64_t r = 0; r < 5; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("embed_blocks", r, c, f32_row(gathered, r)[c], f32_row(out, ids[r])[c] * 33.9411255f, 0);
        }
    }
    expect_gaps_untouched("embed_blocks", gathered);
}

static void gemv_case(const definition *type, int64_t rows, int64_t n, int64_t k, int64_t gap) {
    operand w = random_blocks(type, n, k), x = make_operand(rows, k, k + gap, 4), out = make_operand(rows, n, n + 3, 4);
    fill_f32(x, -1, 1);
    gemma_gemv_blocks(out.data, out.stride, x.data, x.stride, w.data, type->number, rows, n, k);
    for (int64_t o = 0; o < n; o++) {
        for (int64_t r = 0; r < rows; r++) {
            double want = 0, size = 0;
            for (int64_t i = 0; i < k; i++) {
                double product = f32_row(x, r)[i] * (double)(float)value_at(type, w, o, i);
                want += product;
                size += fabs(product);
            }
            // each lane adds k / 4 products at most, one rounding each, of partial sums no larger than `size`
            expect("gemv_blocks", r, o, f32_row(out, r)[o], want, ((double)k / 4 + 8) * UNIT * size);
        }
    }
    expect_gaps_untouched("gemv_blocks", out);
    for (int64_t r = 0; r < rows; r++) {
        operand alone = make_operand(1, n, n, 4);
        gemma_gemv_blocks(alone.data, n, f32_row(x, r), x.stride, w.data, type->number, 1, n, k);
        for (int64_t o = 0; o < n; o++) {
            expect("gemv_blocks: a row alone", r, o, f32_row(alone, 0)[o], f32_row(out, r)[o], 0);
        }
    }
}

static operand quantized_rows(operand x) {
    const int64_t bytes = gemma_quantized_blocks_bytes(x.rows, x.cols);
    operand q = make_operand(1, bytes / 4, bytes / 4, 4);
    gemma_quantize_rows_blocks(q.data, x.data, x.stride, x.rows, x.cols);
    return q;
}

// The rows are rounded as the reference rounds them; what the kernel adds to that are roundings of f32, one or two per
// group of 32 columns and lane: of scale * quant and of the minimum, neither of which is more than twice the largest
// value of the group.
static void matmul_case(const definition *type, int64_t rows, int64_t n, int64_t k, int64_t gap) {
    operand w = random_blocks(type, n, k), x = make_operand(rows, k, k + gap, 4), out = make_operand(rows, n, n + 3, 4);
    fill_f32(x, -1, 1);
    operand q = quantized_rows(x);
    gemma_matmul_blocks(out.data, out.stride, q.data, w.data, type->number, rows, n, k);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            double want = 0, size = 0;
            for (int64_t g = 0; g < k; g += 32) {
                const reference_activation a = quantize_activation_reference(f32_row(x, r) + g);
                double largest = 0, sum = 0;
                for (int64_t i = 0; i < 32; i++) {
                    const double value = value_at(type, w, o, g + i), row = (double)a.scale * a.q[i];
                    largest = fmax(largest, fabs(value));
                    sum += fabs(row);
                    want += row * value;
                }
                size += 4 * largest * sum;
            }
            expect("matmul_blocks", r, o, f32_row(out, r)[o], want, ((double)k / 32 + 8) * UNIT * size);
        }
    }
    expect_gaps_untouched("matmul_blocks", out);
    for (int64_t r = 0; r < rows; r++) {
        operand alone = make_operand(1, n, n, 4), row = {f32_row(x, r), 1, k, k, 4};
        gemma_matmul_blocks(alone.data, n, quantized_rows(row).data, w.data, type->number, 1, n, k);
        for (int64_t o = 0; o < n; o++) {
            expect("matmul_blocks: a row alone", r, o, f32_row(alone, 0)[o], f32_row(out, r)[o], 0);
        }
    }
}

// gelu(gate . x) * (up . x) is what the two products and geglu give one after the other.
static void geglu_case(const definition *gate_type, const definition *up_type, int64_t rows, int64_t n, int64_t k) {
    operand gate = random_blocks(gate_type, n, k), up = random_blocks(up_type, n, k), x = make_operand(rows, k, k, 4);
    operand out = make_operand(rows, n, n + 3, 4);
    operand gates = make_operand(rows, n, n, 4), ups = make_operand(rows, n, n, 4);
    fill_f32(x, -0.1f, 0.1f);
    operand q = quantized_rows(x);
    gemma_matmul_geglu_blocks(out.data, out.stride, q.data, gate.data, gate_type->number, up.data, up_type->number,
                              rows, n, k);
    gemma_matmul_blocks(gates.data, n, q.data, gate.data, gate_type->number, rows, n, k);
    gemma_matmul_blocks(ups.data, n, q.data, up.data, up_type->number, rows, n, k);
    gemma_geglu_f32(gates.data, n, gates.data, n, ups.data, n, rows, n);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t o = 0; o < n; o++) {
            expect("matmul_geglu_blocks", r, o, f32_row(out, r)[o], f32_row(gates, r)[o],
                   4 * UNIT * fabs((double)f32_row(gates, r)[o]));
        }
    }
    expect_gaps_untouched("matmul_geglu_blocks", out);
}

// Matrices of different types side by side give what each gives alone.
static void group_case(int64_t rows, int64_t k) {
    enum { COUNT = 3 };
    static const int OF_TYPES[COUNT] = {8, 10, 1};
    const int64_t n[COUNT] = {33, 1, 18};
    int32_t types[COUNT];
    const void *w[COUNT];
    operand x = make_operand(rows, k, k, 4), out = make_operand(rows, 52, 55, 4);
    fill_f32(x, -1, 1);
    for (int i = 0; i < COUNT; i++) {
        const definition *type = &TYPES[OF_TYPES[i]];
        types[i] = type->number;
        w[i] = random_blocks(type, n[i], k).data;
    }
    gemma_gemv_group_blocks(out.data, out.stride, x.data, x.stride, w, types, n, COUNT, rows, k);
    for (int64_t i = 0, first = 0; i < COUNT; first += n[i], i++) {
        operand alone = make_operand(rows, n[i], n[i], 4);
        gemma_gemv_blocks(alone.data, n[i], x.data, x.stride, w[i], types[i], rows, n[i], k);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t o = 0; o < n[i]; o++) {
                expect("gemv_group_blocks", r, first + o, f32_row(out, r)[first + o], f32_row(alone, r)[o], 0);
            }
        }
    }
    expect_gaps_untouched("gemv_group_blocks", out);
    operand q = quantized_rows(x);
    gemma_matmul_group_blocks(out.data, out.stride, q.data, w, types, n, COUNT, rows, k);
    for (int64_t i = 0, first = 0; i < COUNT; first += n[i], i++) {
        operand alone = make_operand(rows, n[i], n[i], 4);
        gemma_matmul_blocks(alone.data, n[i], q.data, w[i], types[i], rows, n[i], k);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t o = 0; o < n[i]; o++) {
                expect("matmul_group_blocks", r, first + o, f32_row(out, r)[first + o], f32_row(alone, r)[o], 0);
            }
        }
    }
    expect_gaps_untouched("matmul_group_blocks", out);
}

void gguf_blocks_tests(void) {
    static const int64_t BLOCKS[] = {1, 2, 3, 9};
    uint64_t seed = 9000;
    for (size_t t = 0; t < sizeof TYPES / sizeof *TYPES; t++) {
        const definition *type = &TYPES[t];
        for (int i = 0; i < 4; i++, seed++) {
            const int64_t cols = BLOCKS[i] * type->cols;
            begin_case(seed, "type %d, %lld columns", (int)type->number, (long long)cols);
            widen_case(type, 1 + i * 3, cols, (int64_t)(seed % 3));
            free_operands();
            gemv_case(type, 1 + i, 1 + i * 5, cols, (int64_t)(seed % 3));
            free_operands();
            matmul_case(type, 1 + i, 1 + i * 5, cols, (int64_t)(seed % 3));
            free_operands();
        }
        begin_case(seed++, "type %d, large", (int)type->number); // shared by the threads
        widen_case(type, 40, 2304, 0);
        free_operands();
        gemv_case(type, GEMMA_GEMV_MAX_ROWS, 50, 2304, 0);
        free_operands();
        matmul_case(type, GEMMA_GEMV_MAX_ROWS, 50, 2304, 0);
        free_operands();
    }
    begin_case(seed, "group");
    group_case(1, 256);
    group_case(3, 2304);
    free_operands();
    begin_case(seed + 1, "geglu");
    geglu_case(&TYPES[8], &TYPES[8], 1, 40, 512);
    geglu_case(&TYPES[10], &TYPES[2], 7, 300, 2304);
    free_operands();
}
