// packed_bytes: the sizes of quantized weights and activations, see panels.h and int8_rows.h
#include "int8_rows.h"
#include "panels.h"

static int64_t packed_bytes(int64_t rows, int64_t cols, format f) {
    return (rows + PANEL_ROWS - 1) / PANEL_ROWS * panel_bytes(cols, f);
}

int64_t gemma_packed_bytes_q8_0(int64_t rows, int64_t cols) { return packed_bytes(rows, cols, Q8_0); }

int64_t gemma_packed_bytes_q4_0(int64_t rows, int64_t cols) { return packed_bytes(rows, cols, Q4_0); }

int64_t gemma_quantized_bytes(int64_t rows, int64_t cols) {
    return rows * (cols / BLOCK) * (int64_t)sizeof(activation); // on the tier that needs most
}

int64_t gemma_quantized_blocks_bytes(int64_t rows, int64_t cols) { return rows * int8_row_bytes(cols); }
