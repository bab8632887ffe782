// tiles_bytes: the sizes of rows in tiles, and of what the products work in, see tiles.h
#include "gemma_kernels.h"
#include "tiles.h"

int64_t gemma_tiles_bytes(int64_t rows, int64_t cols) { return tile_groups(rows) * tile_steps(cols) * TILE_BYTES; }

int64_t gemma_tiles_scratch(int64_t threads) { return threads * (int64_t)sizeof(tiles_scratch); }

int64_t gemma_attend_tiles_scratch(int64_t heads, int64_t kv_heads, int64_t head_dim, int64_t rows, int64_t threads) {
    return threads * (int64_t)sizeof(attend_scratch) +
           2 * kv_heads * (ATTEND_KEYS / TILE_COLS) * tile_steps(head_dim) * 2 * TILE_BYTES +
           2 * heads * rows * (int64_t)sizeof(float);
}
