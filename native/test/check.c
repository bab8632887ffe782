// check: the frame of the kernel tests. Prints one line per failing case with its seed, shape and worst element; exits
// with 1 if there is any.
#define _DEFAULT_SOURCE
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

const int64_t EDGE_SIZES[SIZES] = {1, 2, 7, 8, 9, 31, 32, 33, 64, 65, 257};

// ---- operands ------------------------------------------------------------------------------------------------------

#define MOST_OPERANDS 64
static struct {
    void *start;
    size_t bytes;
} mapped[MOST_OPERANDS];
static int mapped_count;

operand make_operand(int64_t rows, int64_t cols, int64_t stride, int bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), used = (size_t)(((rows - 1) * stride + cols) * bytes);
    size_t body = (used + page - 1) / page * page;
    char *start = mmap(NULL, body + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (start == MAP_FAILED || mprotect(start + body, page, PROT_NONE) != 0 || mapped_count == MOST_OPERANDS) {
        perror("make_operand");
        exit(2);
    }
    mapped[mapped_count].start = start;
    mapped[mapped_count++].bytes = body + page;
    memset(start, 0xa5, body);
    return (operand){start + body - used, rows, cols, stride, bytes};
}

void free_operands(void) {
    while (mapped_count > 0) {
        mapped_count--;
        munmap(mapped[mapped_count].start, mapped[mapped_count].bytes);
    }
}

float *f32_row(operand m, int64_t row) { return (float *)m.data + row * m.stride; }
uint16_t *h16_row(operand m, int64_t row) { return (uint16_t *)m.data + row * m.stride; }

// ---- values --------------------------------------------------------------------------------------------------------

static uint64_t case_seed, state;
static char case_shape[200];
static int failures, case_failed;

void begin_case(uint64_t seed, const char *shape, ...) {
    va_list arguments;
    va_start(arguments, shape);
    vsnprintf(case_shape, sizeof case_shape, shape, arguments);
    va_end(arguments);
    case_seed = state = seed;
    case_failed = 0;
}

static uint64_t next_random(void) { // splitmix64
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

double uniform(double low, double high) { return low + (high - low) * ((double)(next_random() >> 11) * 0x1p-53); }
int64_t below(int64_t n) { return (int64_t)(next_random() % (uint64_t)n); }

void fill_f32(operand m, double low, double high) {
    for (int64_t r = 0; r < m.rows; r++) {
        for (int64_t c = 0; c < m.cols; c++) f32_row(m, r)[c] = (float)uniform(low, high);
    }
}

double widen(uint16_t bits, int is_f16) {
    int mantissa_bits = is_f16 ? 10 : 7, exponent_bits = 15 - mantissa_bits, most = (1 << exponent_bits) - 1;
    int exponent = (bits & 0x7fff) >> mantissa_bits, mantissa = bits & ((1 << mantissa_bits) - 1), bias = most / 2;
    double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == most) return mantissa ? NAN : sign * INFINITY;
    if (exponent == 0) return sign * ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
}

void fill_h16(operand m, double low, double high, int is_f16) {
    int mantissa_bits = is_f16 ? 10 : 7, bias = is_f16 ? 15 : 127;
    for (int64_t r = 0; r < m.rows; r++) {
        for (int64_t c = 0; c < m.cols; c++) { // truncation will do: the test reads the bits back
            int exponent;
            double x = uniform(low, high), fraction = frexp(fabs(x), &exponent) * 2 - 1;
            int biased = exponent - 1 + bias; // below 1 there are only subnormals: take 0
            int bits = biased < 1 ? 0 : (biased << mantissa_bits) | (int)ldexp(fraction, mantissa_bits);
            h16_row(m, r)[c] = (uint16_t)(bits | (x < 0 ? 0x8000 : 0));
        }
    }
}

double gelu_reference(double x) { return 0.5 * x * (1 + tanh(0.79788456080286535588 * (x + 0.044715 * x * x * x))); }

// ---- expectations --------------------------------------------------------------------------------------------------

static int32_t threads;

static int fails_first(void) { // one message per case
    failures += !case_failed;
    return !case_failed++;
}

void expect(const char *what, int64_t row, int64_t col, double got, double want, double tolerance) {
    int fine = isnan(want) ? isnan(got) : isinf(want) ? got == want : fabs(got - want) <= tolerance;
    if (!fine && fails_first()) {
        fprintf(stderr, "%s (%s, %d threads, seed %llu, %s): [%lld, %lld]: got %.9g, need %.9g +- %.3g\n", what,
                gemma_isa(), threads, (unsigned long long)case_seed, case_shape, (long long)row, (long long)col, got,
                want, tolerance);
    }
}

void expect_true(int condition, const char *what) {
    if (!condition && fails_first()) {
        fprintf(stderr, "%s (%s, %d threads, seed %llu, %s)\n", what, gemma_isa(), threads,
                (unsigned long long)case_seed, case_shape);
    }
}

void expect_gaps_untouched(const char *what, operand m) {
    for (int64_t r = 0; r + 1 < m.rows; r++) {
        const unsigned char *gap = (unsigned char *)m.data + (r * m.stride + m.cols) * m.bytes;
        for (int64_t i = 0; i < (m.stride - m.cols) * m.bytes; i++) {
            if (gap[i] != 0xa5) expect(what, r, m.cols + i / m.bytes, gap[i], 0xa5, 0);
        }
    }
}

static void all_tests(void) {
    elementwise_tests();
    norm_rope_tests();
    gemv_tests();
    pack_tests();
    gguf_blocks_tests();
    matmul_tests();
    products_tests();
    attention_tests();
    recurrence_tests();
    team_tests();
    ceilings_tests();
}

// With the argument "team", the tests of the team alone (build-native.sh runs them under a thread limit too).
int main(int count, char **arguments) {
    void (*tests)(void) = count > 1 && strcmp(arguments[1], "team") == 0 ? team_tests : all_tests;
    static const char *const tiers[] = {"portable",    "avx2",        "avx2-vnni", "avx512",
                                        "avx512-vnni", "avx512-bf16", "avx512-amx"};
    for (int tier = 0; tier < 7; tier++) {
        gemma_limit_isa(tiers[tier]);
        if (strcmp(gemma_isa(), tiers[tier]) != 0) {
            printf("%-12s not on this CPU\n", tiers[tier]);
            continue;
        }
        for (threads = 1; threads <= 2; threads++) {
            int before = failures;
            gemma_set_threads(threads);
            tests();
            printf("%-12s %d threads: %s\n", tiers[tier], threads, failures == before ? "ok" : "FAILED");
            fflush(stdout);
        }
    }
    return failures > 0;
}
