// exp.h: exp, tanh and Gemma's GELU on vectors. Against doubles over the whole range: exp within 1.1 ulp, tanh
// within 2.5.
#ifndef GEMMA_EXP_H
#define GEMMA_EXP_H

#include "simd.h"

// Cody and Waite: x = n ln 2 + r, |r| <= ln 2 / 2. ln 2 is in two parts, the first with 9 trailing zero bits so that n
// times it is exact even without FMA. Gives n + 1.5 * 2^23, whose low bits are n.
INLINE vf reduce_by_ln2(vf x, vf *r) {
    const vf round = splat(0x1.8p23f);
    vf shifted = x * 0x1.715476p0f + round, n = shifted - round;
    *r = (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;
    return shifted;
}

// 2^n for -126 <= n <= 127 out of n + 1.5 * 2^23
INLINE vf power_of_two(vf shifted) { return (vf)(((vu)shifted + 127) << 23); }

// exp(r) - 1 for |r| <= ln 2 / 2: r + r^2 (1/2 + r/6 + ...), Taylor to r^7; the rest is below 2^-26 of r
INLINE vf expm1_reduced(vf r) {
    vf p = splat(1.0f / 5040);
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    return p * (r * r) + r;
}

// exp(x): 0 below -87.336 (no subnormals), inf above 88.376 (where 2^n would need n = 128), NaN for NaN
INLINE vf vexp(vf x) {
    const vf low = splat(-87.336f), high = splat(88.376f);
    vf r, shifted = reduce_by_ln2(blend(x < low, low, blend(x > high, high, x)), &r);
    vf scale = power_of_two(shifted);
    vf e = blend(x > high, splat(INFINITY), expm1_reduced(r) * scale + scale);
    return blend(x < low, splat(0), e);
}

// exp(x) - 1 for x <= 0, without cancellation near 0; -1 below -40
INLINE vf vexpm1_negative(vf x) {
    vf r, shifted = reduce_by_ln2(blend(x < -40.0f, splat(-40.0f), x), &r);
    vf scale = power_of_two(shifted);
    return expm1_reduced(r) * scale + (scale - 1.0f);
}

// |tanh(x)| = |e / (2 + e)|, e = exp(-2 |x|) - 1: no cancellation near 0, exactly 1 from 9.1 on
INLINE vf vtanh(vf x) {
    vu sign = (vu)x & 0x80000000u;
    vf t = -2.0f * (vf)((vu)x ^ sign);
    vf e = vexpm1_negative(t);
    return (vf)(((vu)(e / (2.0f + e)) & 0x7fffffffu) | sign);
}

// gelu(g) = g / 2 (1 + tanh(u)) = g / (1 + exp(-2 u)), u = sqrt(2 / pi) (g + 0.044715 g^3): the same function, and the
// left tail keeps its relative accuracy
INLINE vf vgelu(vf g) {
    vf minus_2u = (-2 * 0.7978845608028654f) * (g + 0.044715f * (g * g) * g);
    return g / (1.0f + vexp(minus_2u));
}

// out = gelu(gate) * up, n of them; out may be gate or up.
INLINE void geglu_row(float *out, const float *gate, const float *up, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(out + i, vgelu(load_n(gate + i, n - i)) * load_n(up + i, n - i), n - i);
    }
}

#endif
