// softcap.h: cap * tanh(x / cap) over a run of values, for logits and for attention scores.
#ifndef GEMMA_SOFTCAP_H
#define GEMMA_SOFTCAP_H

#include "exp.h"

INLINE void softcap_run(float *x, int64_t n, float cap) {
    float inverse = 1 / cap;
    for (int64_t i = 0; i < n; i += LANES) store_n(x + i, vtanh(load_n(x + i, n - i) * inverse) * cap, n - i);
}

INLINE float max_run(const float *x, int64_t n) {
    vf m = splat(-INFINITY);
    for (int64_t i = 0; i < n; i += LANES) m = vmax(load_filled(x + i, n - i, -INFINITY), m);
    return max_lane(m);
}

// x = exp(x - max) in place; their sum in f32. A maximum of -inf, where nothing is visible, gives zeros.
INLINE float exp_run(float *x, int64_t n, float max) {
    float shift = max == -INFINITY ? 0 : max;
    vf total = {0};
    for (int64_t i = 0; i < n; i += LANES) {
        vf p = vexp(load_filled(x + i, n - i, -INFINITY) - shift);
        store_n(x + i, p, n - i);
        total += p;
    }
    return sum(total);
}

#endif
