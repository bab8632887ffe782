// norm.h: the sums behind norms, for rows of an activation and for heads.
#ifndef GEMMA_NORM_H
#define GEMMA_NORM_H

#include "simd.h"

// 1 / sqrt(mean(x^2) + eps): squares summed in f32 over 4 x LANES lanes, so that the error grows with n / (4 LANES) at
// most; the rest in f64, once per row
INLINE float inverse_rms(const float *x, int64_t n, float eps) {
    vf squares[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        UNROLL for (int j = 0; j < 4; j++) {
            vf v = load(x + i + j * LANES);
            squares[j] += v * v;
        }
    }
    for (; i < n; i += LANES) {
        vf v = load_n(x + i, n - i);
        squares[0] += v * v;
    }
    double mean = (double)sum((squares[0] + squares[1]) + (squares[2] + squares[3])) / (double)n;
    return (float)(1.0 / sqrt(mean + (double)eps));
}

// Sum of (x - shift)^power, power 1 or 2
INLINE float sum_of(const float *x, int64_t n, float shift, int squared) {
    vf sums[4] = {{0}, {0}, {0}, {0}};
    int64_t i = 0;
    for (; i + 4 * LANES <= n; i += 4 * LANES) {
        UNROLL for (int j = 0; j < 4; j++) {
            vf v = load(x + i + j * LANES) - shift;
            sums[j] += squared ? v * v : v;
        }
    }
    for (; i < n; i += LANES) {
        vf v = load_filled(x + i, n - i, shift) - shift;
        sums[0] += squared ? v * v : v;
    }
    return sum((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// The mean, in two passes: the second adds what the first has rounded away
INLINE float mean_of(const float *x, int64_t n) {
    float mean = (float)((double)sum_of(x, n, 0, 0) / (double)n);
    return mean + (float)((double)sum_of(x, n, mean, 0) / (double)n);
}

#endif
