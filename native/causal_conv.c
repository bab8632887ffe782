// causal_conv: a depthwise convolution over time, each column on its own
//   in, out f32 [rows, cols]; taps f32 [width, cols], the last one is the current row's; state, next f32 [width - 1,
//   cols]
#include "simd.h"
#include "team.h"

// The input `back` rows before the first of this call, back >= 1; NULL: before the sequence.
static const float *before(const float *state, int64_t cols, int64_t width, int64_t back) {
    return state ? state + (width - 1 - back) * cols : NULL;
}

static void add_tap(float *out, const float *in, const float *taps, int64_t n) {
    for (int64_t i = 0; i < n; i += LANES) {
        store_n(out + i, multiply_add(load_n(in + i, n - i), load_n(taps + i, n - i), load_n(out + i, n - i)), n - i);
    }
}

void TIER(gemma_causal_conv_f32)(float *out, int64_t out_stride, const float *in, int64_t in_stride, const float *taps,
                                 const float *bias, const float *state, float *next, int64_t row, int64_t rows,
                                 int64_t cols, int64_t width) {
    out += row * out_stride;
    in += row * in_stride;
    TEAM_SPLIT(cols, 16, rows * cols * width / 8, from, to, {
        const int64_t n = to - from;
        for (int64_t r = 0; r < rows && n > 0; r++) {
            float *sum = out + r * out_stride + from;
            memcpy(sum, bias + from, (size_t)n * sizeof *sum);
            for (int64_t tap = 0; tap < width; tap++) {
                const int64_t at = r - (width - 1) + tap;
                const float *x = at >= 0 ? in + at * in_stride : before(state, cols, width, -at);
                if (x) add_tap(sum, x + from, taps + tap * cols + from, n);
            }
        }
        for (int64_t i = 0; i < width - 1 && n > 0; i++) { // the last width - 1 inputs, oldest first
            const int64_t at = rows - (width - 1) + i;
            const float *x = at >= 0 ? in + at * in_stride : before(state, cols, width, -at);
            if (x)
                memcpy(next + i * cols + from, x + from, (size_t)n * sizeof *next);
            else
                memset(next + i * cols + from, 0, (size_t)n * sizeof *next);
        }
    });
}
