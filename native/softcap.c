// softcap: x = cap * tanh(x / cap), in place
//   x f32 [rows, cols], cap > 0
#include "softcap.h"
#include "team.h"

void TIER(gemma_softcap_f32)(float *x, int64_t rows, int64_t cols, int64_t stride, float cap) {
    TEAM_ELEMENTS(rows, cols, rows * cols, r, c, n, softcap_run(x + r * stride + c, n, cap));
}
