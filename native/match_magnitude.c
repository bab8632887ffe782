// match_magnitude: x[r] *= rms(like[r]) / max(rms(x[r]), sqrt(1e-5)), in place, rms the root of the mean square
//   x, like f32 [rows, cols]; sums as in norm.h
#include "norm.h"
#include "team.h"

#define MOST_INVERSE 316.227766f // of sqrt(1e-5)

static void match_row(float *x, const float *like, int64_t cols) {
    float inverse = inverse_rms(x, cols, 0); // infinite for zeros, as is that of `like`: both give a factor of 0
    float factor = (inverse < MOST_INVERSE ? inverse : MOST_INVERSE) / inverse_rms(like, cols, 0);
    for (int64_t i = 0; i < cols; i += LANES) store_n(x + i, load_n(x + i, cols - i) * factor, cols - i);
}

void TIER(gemma_match_magnitude_f32)(float *x, int64_t x_stride, const float *like, int64_t like_stride, int64_t rows,
                                     int64_t cols) {
    TEAM_EACH(rows, rows * cols / 2, r, match_row(x + r * x_stride, like + r * like_stride, cols));
}
