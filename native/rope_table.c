// rope_table: cos[r, i] = cos(positions[r] * inv_freq[i]), sin alike
//   cos, sin f32 [rows, half] without gaps, inv_freq f64 [half]; all in f64, rounded once: at position 100 000 an f32
//   angle would be off by 0.004 radians. One copy for all tiers: it is the C library's time.
#include "gemma_kernels.h"
#include "team.h"

#include <math.h>

static void table_row(float *cos_row, float *sin_row, const double *inv_freq, int32_t position, int64_t half) {
    for (int64_t i = 0; i < half; i++) {
        double angle = position * inv_freq[i];
        cos_row[i] = (float)cos(angle);
        sin_row[i] = (float)sin(angle);
    }
}

void gemma_rope_table_f32(float *cos_table, float *sin_table, const double *inv_freq, const int32_t *positions,
                          int64_t rows, int64_t half) {
    TEAM_EACH(rows, rows * half * 32, r,
              table_row(cos_table + r * half, sin_table + r * half, inv_freq, positions[r], half));
}
