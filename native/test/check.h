// check.h: what the kernel tests share: seeded values, operands that end at a guard page, and comparison with a reason
// to fail. A test runs for every ISA tier of this CPU and for 1 and 2 threads; see check.c.
#ifndef GEMMA_CHECK_H
#define GEMMA_CHECK_H

#include "gemma_kernels.h"

#include <stdarg.h>
#include <stdint.h>

#define UNIT 0x1p-24 // half an ulp of 1 in f32: the relative error of one rounding

// Sizes around every vector width and unrolling; SIZES is how many.
extern const int64_t EDGE_SIZES[];
#define SIZES 11

// A [rows, cols] operand of `bytes` per element whose last element ends at a page that traps. The gaps between rows,
// and all of it at first, hold the pattern 0xa5.
typedef struct {
    void *data;
    int64_t rows, cols, stride;
    int bytes;
} operand;

operand make_operand(int64_t rows, int64_t cols, int64_t stride, int bytes);
void free_operands(void); // all of them, after each case

float *f32_row(operand m, int64_t row);
uint16_t *h16_row(operand m, int64_t row);

// Seeded: the same values in each run and for each tier. begin_case names the case in messages.
void begin_case(uint64_t seed, const char *shape, ...) __attribute__((format(printf, 2, 3)));
double uniform(double low, double high);
int64_t below(int64_t n);
void fill_f32(operand m, double low, double high);
void fill_h16(operand m, double low, double high, int is_f16); // bf16 or f16 bits of such values
double widen(uint16_t bits, int is_f16);                       // written apart from the kernels

// Reports element [row, col] if |got - want| is not <= tolerance (a NaN where none is wanted is reported too).
void expect(const char *what, int64_t row, int64_t col, double got, double want, double tolerance);
void expect_true(int condition, const char *what);
void expect_gaps_untouched(const char *what, operand m);

double gelu_reference(double x);

void elementwise_tests(void);
void norm_rope_tests(void);
void gemv_tests(void);
void pack_tests(void);
void matmul_tests(void);
void products_tests(void);
void gguf_blocks_tests(void);
void attention_tests(void);
void recurrence_tests(void);
void team_tests(void);
void ceilings_tests(void);

#endif
