// quantized.h: ggml's block formats and our activations in plain C, for the tests of what packs and multiplies them.
// Written apart from the kernels.
#ifndef GEMMA_TEST_QUANTIZED_H
#define GEMMA_TEST_QUANTIZED_H

#include "check.h"

// One GGUF block, not packed together: f16 bits of d, and the values as small integers.
typedef struct {
    uint16_t d;
    int8_t value[32];
} reference_block;

// format 0: Q8_0, 1: Q4_0
reference_block quantize_reference(const float *x, int format);
void block_bytes_reference(unsigned char *out, const reference_block *b,
                           int format); // as GGUF stores it: 34 or 18 bytes
int64_t block_size(int format);

uint16_t to_f16(double x); // to nearest, ties to even

// What gemma_quantize_rows_* make of one block.
typedef struct {
    float scale;
    int8_t q[32];
} reference_activation;
reference_activation quantize_activation_reference(const float *x);

operand packed(int format, int64_t rows,
               int64_t cols); // an operand of the panels' bytes, aligned as they ask, up to a guard page
void pack_f32(int format, operand out, operand in);
void unpack(int format, operand out, operand panels, int64_t first);

#endif
