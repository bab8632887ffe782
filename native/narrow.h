// narrow.h: f32 to bf16, to nearest, ties to even, on the bits: the CPU's own conversion would flush subnormals.
#ifndef GEMMA_NARROW_H
#define GEMMA_NARROW_H

#include "simd.h"

// Bits whose upper half is the bf16. Adding half of the dropped unit (a little less when the kept part is even) carries
// into it; NaN would overflow and gets its quiet bit instead.
INLINE vu round_bf16(vf x) {
    vu bits = (vu)x, rounded = bits + 0x7fff + ((bits >> 16) & 1), quiet = bits | 0x400000;
    return (vu)blend((vi)(x == x), (vf)rounded, (vf)quiet);
}

INLINE vh narrow_bf16(vf x) { return __builtin_convertvector(round_bf16(x) >> 16, vh); }

INLINE void narrow_row(uint16_t *out, const float *in, int64_t n) {
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        vh h = narrow_bf16(load(in + i));
        memcpy(out + i, &h, sizeof h);
    }
    if (i < n) {
        vh h = narrow_bf16(load_part(in + i, n - i));
        memcpy(out + i, &h, (size_t)(n - i) * sizeof *out);
    }
}

#endif
