// quantized: see quantized.h
#include "quantized.h"

#include <math.h>
#include <string.h>

// ggml-quants.c, quantize_row_q8_0_ref and quantize_row_q4_0_ref. volatile: each product is rounded by itself, FMA or
// not.
static reference_block q8_0_reference(const float *x) {
    reference_block b;
    float amax = 0;
    for (int j = 0; j < 32; j++) amax = fabsf(x[j]) > amax ? fabsf(x[j]) : amax;
    const float d = amax / 127, id = d != 0 ? 1.0f / d : 0.0f;
    b.d = to_f16((double)d);
    for (int j = 0; j < 32; j++) {
        volatile float scaled = x[j] * id;
        b.value[j] = (int8_t)roundf(scaled);
    }
    return b;
}

static reference_block q4_0_reference(const float *x) {
    reference_block b;
    float amax = 0, max = 0;
    for (int j = 0; j < 32; j++) {
        if (amax < fabsf(x[j])) {
            amax = fabsf(x[j]);
            max = x[j];
        }
    }
    const float d = max / -8, id = d != 0 ? 1.0f / d : 0.0f;
    b.d = to_f16((double)d);
    for (int j = 0; j < 32; j++) {
        volatile float scaled = x[j] * id;
        int value = (int8_t)(scaled + 8.5f);
        b.value[j] = (int8_t)((value < 15 ? value : 15) - 8);
    }
    return b;
}

reference_block quantize_reference(const float *x, int format) {
    return format == 0 ? q8_0_reference(x) : q4_0_reference(x);
}

int64_t block_size(int format) { return format == 0 ? 34 : 18; }

void block_bytes_reference(unsigned char *out, const reference_block *b, int format) {
    memcpy(out, &b->d, 2);
    if (format == 0)
        memcpy(out + 2, b->value, 32);
    else
        for (int j = 0; j < 16; j++) out[2 + j] = (unsigned char)((b->value[j] + 8) | (b->value[j + 16] + 8) << 4);
}

uint16_t to_f16(double x) {
    int sign = signbit(x) ? 0x8000 : 0, exponent;
    x = fabs(x);
    if (isnan(x)) return (uint16_t)(sign | 0x7e00);
    if (x >= 65520) return (uint16_t)(sign | 0x7c00);
    frexp(x, &exponent);
    exponent = x == 0 || exponent < -13 ? -14 : exponent - 1;    // of the leading bit; subnormals share the lowest
    int units = (int)nearbyint(ldexp(x, 10 - exponent));         // 1024 to 2048, or fewer when subnormal
    return (uint16_t)(sign | (units + ((exponent + 14) << 10))); // a carry, and the leading bit, go into the exponent
}

reference_activation quantize_activation_reference(const float *x) {
    reference_activation a;
    float amax = 0;
    for (int j = 0; j < 32; j++) amax = fabsf(x[j]) > amax ? fabsf(x[j]) : amax;
    a.scale = amax * (1.0f / 127);
    for (int j = 0; j < 32; j++) {
        volatile float scaled = amax != 0 ? x[j] * (127 / amax) : 0;
        a.q[j] = (int8_t)nearbyintf(scaled);
    }
    return a;
}

operand packed(int format, int64_t rows, int64_t cols) {
    int64_t bytes = format == 0 ? gemma_packed_bytes_q8_0(rows, cols) : gemma_packed_bytes_q4_0(rows, cols);
    return make_operand(1, bytes, bytes, 1); // whole lines up to a page: aligned
}

void pack_f32(int format, operand out, operand in) {
    if (format == 0)
        gemma_pack_q8_0_f32(out.data, in.data, in.stride, in.rows, in.cols);
    else
        gemma_pack_q4_0_f32(out.data, in.data, in.stride, in.rows, in.cols);
}

void unpack(int format, operand out, operand panels, int64_t first) {
    if (format == 0)
        gemma_unpack_q8_0(out.data, out.stride, panels.data, first, out.rows, out.cols);
    else
        gemma_unpack_q4_0(out.data, out.stride, panels.data, first, out.rows, out.cols);
}
