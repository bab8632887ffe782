// product_bytes: the sizes of rows as products of many take them (wide.h, tiles.h), and of what those work in
#include "gemma_kernels.h"
#include "tiles.h"
#include "wide.h"

// For the widest vectors there are: a strip's last one may lie behind the last row.
int64_t gemma_wide_bytes(int64_t rows, int64_t cols) { return (rows + 15) / 16 * 16 * cols * (int64_t)sizeof(float); }

int64_t gemma_wide_scratch(int64_t threads) { return threads * (int64_t)sizeof(wide_scratch); }

int64_t gemma_tiles_bytes(int64_t rows, int64_t cols) { return tile_groups(rows) * tile_steps(cols) * TILE_BYTES; }

int64_t gemma_tiles_scratch(int64_t threads) { return threads * (int64_t)sizeof(tiles_scratch); }
