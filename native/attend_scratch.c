// attend_scratch: what the kernels of attention work in
#include "attend.h"
#include "attend_wide.h"
#include "gemma_kernels.h"
#include "tiles.h"

// Per head one partial for each range of slots, a range per thread.
int64_t gemma_attend_scratch(int64_t heads, int64_t head_dim, int64_t threads) {
    return heads * threads * partial_floats(head_dim);
}

int64_t gemma_attend_wide_scratch(int64_t head_dim, int64_t threads) { return threads * attend_wide_bytes(head_dim); }

int64_t gemma_attend_tiles_scratch(int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows, int64_t threads) {
    return threads * (int64_t)sizeof(attend_scratch) +
           2 * kv_heads * (ATTEND_TILE_KEYS / TILE_COLS) * tile_steps(head_dim) * 2 * TILE_BYTES +
           2 * heads * rows * (int64_t)sizeof(float);
}
