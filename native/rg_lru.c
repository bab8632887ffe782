// rg_lru: the real-gated linear recurrent unit (De et al. 2024), sequential over rows, each column on its own
//   log a = rate * sigmoid(recurrence gate); h = a h + sqrt(1 - a^2) (sigmoid(input gate) * x); out = h * gelu(y)
//   all f32 [rows, cols]; rate, state, next f32 [cols]; at the beginning of a sequence h = sigmoid(input gate) * x
#include "exp.h"
#include "team.h"

INLINE vf sigmoid(vf x) { return 1.0f / (1.0f + vexp(-x)); }

// 1 - a^2 = -e (2 + e) with e = a - 1, which loses nothing where a is close to 1
INLINE vf step(vf rate, vf recurrence_gate, vf input, const float *h, int64_t left) {
    vf e = vexpm1_negative(rate * sigmoid(recurrence_gate));
    return (1.0f + e) * load_n(h, left) + vsqrt(-e * (2.0f + e)) * input;
}

void TIER(gemma_rg_lru_f32)(float *out, int64_t out_stride, const float *x, int64_t x_stride, const float *input_gate,
                            int64_t input_gate_stride, const float *recurrence_gate, int64_t recurrence_gate_stride,
                            const float *y, int64_t y_stride, const float *rate, const float *state, float *next,
                            int64_t row, int64_t rows, int64_t cols) {
    TEAM_SPLIT(cols, 16, rows * cols * 2, from, to, {
        for (int64_t r = row; r < row + rows; r++) {
            const float *h = r == row ? state : next;
            for (int64_t c = from; c < to; c += LANES) {
                const int64_t left = to - c;
                vf now =
                    sigmoid(load_n(input_gate + r * input_gate_stride + c, left)) * load_n(x + r * x_stride + c, left);
                if (h)
                    now = step(load_n(rate + c, left), load_n(recurrence_gate + r * recurrence_gate_stride + c, left),
                               now, h + c, left);
                store_n(next + c, now, left);
                store_n(out + r * out_stride + c, now * vgelu(load_n(y + r * y_stride + c, left)), left);
            }
        }
    });
}
