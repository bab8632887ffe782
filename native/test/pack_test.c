// pack_test: weights into panels and back, bit for bit against ggml's definition in plain C; embedding from panels.
#include "quantized.h"

#include <math.h>
#include <string.h>

static const int64_t COLS[] = {32, 64, 96, 160, 288};
static const int64_t ROWS[] = {1, 2, 7, 15, 16, 17, 31, 33, 50};

// Values that try the roundings: ties of the products, equal largest magnitudes of both signs, blocks of zeros,
// subnormal scales.
static void fill_hard(operand m) {
    for (int64_t r = 0; r < m.rows; r++) {
        for (int64_t b = 0; b < m.cols / 32; b++) {
            float *x = f32_row(m, r) + b * 32;
            int kind = (int)below(8);
            double range = ldexp(1, (int)below(40) - 20);
            for (int j = 0; j < 32; j++) {
                x[j] = (float)uniform(-range, range);
                if (kind == 1) x[j] = 0;
                if (kind == 2) x[j] = (float)below(255) - 127;           // d = 1: integers
                if (kind == 3) x[j] = ((float)below(255) - 127) / 2;     // and halves
                if (kind == 4) x[j] = (float)(below(17) - 8) / 2;        // ties of Q4_0, both signs
                if (kind == 5) x[j] = below(2) ? 3 : -3;                 // the first decides
                if (kind == 6) x[j] = (float)ldexp(uniform(-1, 1), -22); // d is subnormal or 0 in f16
            }
            if (kind == 2 || kind == 3) x[below(32)] = kind == 2 ? 127 : -63.5f;
        }
    }
}

static double value_at(operand m, int type, int64_t r, int64_t c) {
    return type ? widen(h16_row(m, r)[c], type == 2) : f32_row(m, r)[c];
}

static void expect_blocks(const char *what, int format, operand in, int type, operand panels) {
    operand got = make_operand(in.rows, in.cols, in.cols + 3, 4);
    unpack(format, got, panels, 0);
    for (int64_t r = 0; r < in.rows; r++) {
        for (int64_t b = 0; b < in.cols / 32; b++) {
            float x[32];
            for (int j = 0; j < 32; j++) x[j] = (float)value_at(in, type, r, b * 32 + j);
            reference_block want = quantize_reference(x, format);
            for (int j = 0; j < 32; j++) {
                expect(what, r, b * 32 + j, f32_row(got, r)[b * 32 + j], widen(want.d, 1) * want.value[j], 0);
            }
        }
    }
    expect_gaps_untouched(what, got);
}

static void pack_case(int format, int type, int64_t rows, int64_t cols, int64_t gap) {
    operand in = make_operand(rows, cols, cols + gap, type ? 2 : 4), panels = packed(format, rows, cols);
    if (type)
        fill_h16(in, -4, 4, type == 2);
    else
        fill_hard(in);
    if (type == 0) pack_f32(format, panels, in);
    if (type == 1 && format == 0) gemma_pack_q8_0_bf16(panels.data, in.data, in.stride, rows, cols);
    if (type == 1 && format == 1) gemma_pack_q4_0_bf16(panels.data, in.data, in.stride, rows, cols);
    if (type == 2 && format == 0) gemma_pack_q8_0_f16(panels.data, in.data, in.stride, rows, cols);
    if (type == 2 && format == 1) gemma_pack_q4_0_f16(panels.data, in.data, in.stride, rows, cols);
    expect_blocks("pack", format, in, type, panels);
}

// Out of GGUF's blocks: the same panels, byte for byte, and any value that a file may hold.
static void blocks_case(int format, int64_t rows, int64_t cols) {
    const int64_t blocks = cols / 32, bytes = block_size(format);
    operand in = make_operand(rows, cols, cols, 4), file = make_operand(rows, blocks * bytes, blocks * bytes, 1);
    operand want = packed(format, rows, cols), got = packed(format, rows, cols);
    fill_hard(in);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t b = 0; b < blocks; b++) {
            reference_block block = quantize_reference(f32_row(in, r) + b * 32, format);
            block_bytes_reference((unsigned char *)file.data + (r * blocks + b) * bytes, &block, format);
        }
    }
    pack_f32(format, want, in);
    if (format == 0)
        gemma_pack_q8_0_blocks(got.data, file.data, rows, cols);
    else
        gemma_pack_q4_0_blocks(got.data, file.data, rows, cols);
    expect_true(memcmp(got.data, want.data, (size_t)got.cols) == 0, "pack blocks: other panels than pack");
    if (format == 1) return;
    for (int64_t i = 0; i < file.cols * rows; i++) {
        if (i % bytes >= 2) ((signed char *)file.data)[i] = (signed char)below(256); // -128 too
    }
    operand out = make_operand(rows, cols, cols, 4);
    gemma_pack_q8_0_blocks(got.data, file.data, rows, cols);
    unpack(format, out, got, 0);
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < cols; c++) {
            const signed char *block = (signed char *)file.data + (r * blocks + c / 32) * bytes;
            uint16_t d;
            memcpy(&d, block, 2);
            expect("pack blocks", r, c, f32_row(out, r)[c], widen(d, 1) * block[2 + c % 32], 0);
        }
    }
}

// Into GGUF's blocks: the definition's, byte for byte, and nothing beside them.
static void quantize_case(int format, int64_t rows, int64_t cols, int64_t gap) {
    const int64_t blocks = cols / 32, bytes = block_size(format);
    operand in = make_operand(rows, cols, cols + gap, 4),
            got = make_operand(1, rows * blocks * bytes, rows * blocks * bytes, 1);
    fill_hard(in);
    if (format == 0)
        gemma_quantize_blocks_q8_0(got.data, in.data, in.stride, rows, cols);
    else
        gemma_quantize_blocks_q4_0(got.data, in.data, in.stride, rows, cols);
    for (int64_t i = 0; i < rows * blocks; i++) {
        unsigned char want[34];
        reference_block block = quantize_reference(f32_row(in, i / blocks) + i % blocks * 32, format);
        block_bytes_reference(want, &block, format);
        expect_true(memcmp((unsigned char *)got.data + i * bytes, want, (size_t)bytes) == 0,
                    "quantize blocks: other bytes than the definition's");
    }
}

// Rows from a multiple of 16 on are a matrix of their own; rows in the middle unpack alike; ids gather them.
static void parts_case(int format, int64_t rows, int64_t cols) {
    operand in = make_operand(rows, cols, cols, 4), whole = packed(format, rows, cols),
            rest = packed(format, rows - 16, cols);
    operand all = make_operand(rows, cols, cols, 4), some = make_operand(rows - 3, cols, cols, 4);
    operand tail = in, gathered = make_operand(5, cols, cols + 1, 4);
    fill_f32(in, -1, 1);
    pack_f32(format, whole, in);
    tail.data = f32_row(in, 16);
    tail.rows = rows - 16;
    pack_f32(format, rest, tail);
    int64_t skipped = format == 0 ? gemma_packed_bytes_q8_0(16, cols) : gemma_packed_bytes_q4_0(16, cols);
    expect_true(skipped + rest.cols == whole.cols, "packed_bytes: parts do not add up");
    expect_true(memcmp((char *)whole.data + skipped, rest.data, (size_t)rest.cols) == 0, "pack: other panels in part");
    unpack(format, all, whole, 0);
    unpack(format, some, whole, 3);
    expect_true(memcmp(f32_row(all, 3), some.data, (size_t)(some.rows * cols * 4)) == 0, "unpack: other rows in part");

    int32_t ids[5] = {(int32_t)(rows - 1), 0, 3, 15, 16};
    if (format == 0)
        gemma_embed_q8_0(gathered.data, gathered.stride, whole.data, ids, 5, cols, 33.9411255f);
    else
        gemma_embed_q4_0(gathered.data, gathered.stride, whole.data, ids, 5, cols, 33.9411255f);
    for (int64_t r = 0; r < 5; r++) {
        for (int64_t c = 0; c < cols; c++) {
            expect("embed", r, c, f32_row(gathered, r)[c], f32_row(all, ids[r])[c] * 33.9411255f, 0);
        }
    }
    expect_gaps_untouched("embed", gathered);
}

void pack_tests(void) {
    uint64_t seed = 6000;
    for (int format = 0; format < 2; format++) {
        for (int i = 0; i < 9; i++) {
            for (int j = 0; j < 5; j++, seed++) {
                begin_case(seed, "format %d, %lld x %lld", format, (long long)ROWS[i], (long long)COLS[j]);
                for (int type = 0; type < 3; type++)
                    pack_case(format, type, ROWS[i], COLS[j], (int64_t)(seed % 3)), free_operands();
                blocks_case(format, ROWS[i], COLS[j]);
                free_operands();
                quantize_case(format, ROWS[i], COLS[j], (int64_t)(seed % 3));
                free_operands();
                if (ROWS[i] > 16) parts_case(format, ROWS[i], COLS[j]);
                free_operands();
            }
        }
        begin_case(seed++, "format %d, large", format); // shared by the threads
        pack_case(format, 0, 85, 1152, 0);
        free_operands();
        pack_case(format, 1, 85, 1152, 0);
        blocks_case(format, 85, 1152);
        quantize_case(format, 85, 1152, 5);
        parts_case(format, 85, 1152);
        free_operands();
    }
}
