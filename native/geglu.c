// geglu: out = gelu(gate) * up, gelu the tanh approximation (exp.h)
//   gate, up, out f32 [rows, cols]; out may be gate or up
#include "exp.h"
#include "team.h"

void TIER(gemma_geglu_f32)(float *out, int64_t out_stride, const float *gate, int64_t gate_stride, const float *up,
                           int64_t up_stride, int64_t rows, int64_t cols) {
    TEAM_ELEMENTS(rows, cols, rows * cols, r, c, n,
                  geglu_row(out + r * out_stride + c, gate + r * gate_stride + c, up + r * up_stride + c, n));
}
