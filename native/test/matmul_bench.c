// matmul_bench: the products of block-quantized weights, in GB/s of weights beside what plain reading reaches and in
// GOP/s beside the peak of products of bytes, and packing. Shapes of Gemma 3 1B; where a block has 256 columns, 1024.
// usage: ./build-native.sh --bench-matmul [THREADS [ISA]]
// Each figure is the best of several, with the ceilings measured again around it, because other programs on the machine
// move every figure: compare only within one line.
#define _DEFAULT_SOURCE
#include "gemma_kernels.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define POOL_BYTES ((int64_t)512 << 20)
#define ROUNDS 8

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static char *pool; // panels: what is streamed
static float *values, *out;
static void *x;
static int threads;
static volatile uint64_t sink;

// ---- ceilings
// -------------------------------------------------------------------------------------------------------------

#define READ_BYTES ((int64_t)64 << 20)

typedef uint64_t line __attribute__((vector_size(64)));

// GB/s of reading every word of 64 MB once, on each thread as two streams, which is faster than one, prefetched.
static double read_ceiling(void) {
    static int64_t place;
    const char *at = pool + place++ % (POOL_BYTES / READ_BYTES) * READ_BYTES;
    uint64_t total = 0;
    double start = now();
#pragma omp parallel reduction(+ : total)
    {
        const int64_t half = READ_BYTES / omp_get_num_threads() / 128 * 64;
        const char *a = at + omp_get_thread_num() * 2 * half, *b = a + half;
        line sums = {0};
        for (int64_t i = 0; i < half; i += 64) {
            __builtin_prefetch(a + i + 1024);
            __builtin_prefetch(b + i + 1024);
            sums ^= *(const line *)(a + i) ^ *(const line *)(b + i);
        }
        for (int i = 0; i < 8; i++) total += sums[i];
    }
    sink += total;
    return (double)READ_BYTES / 1e9 / (now() - start);
}

// GOP/s of products of bytes in registers alone, on all threads.
static double bytes_ceiling(void) { return 1e-9 * gemma_measure_int8(0); }

// ---- measures
// -------------------------------------------------------------------------------------------------------------

typedef struct {
    const char *name;
    void (*run)(const char *at, int64_t rows, int64_t n, int64_t k);
    int64_t rows, n, k;
    int q4;
    int matrices;
} measure;

static void q8_0(const char *at, int64_t rows, int64_t n, int64_t k) { gemma_matmul_q8_0(out, n, x, at, rows, n, k); }
static void q4_0(const char *at, int64_t rows, int64_t n, int64_t k) { gemma_matmul_q4_0(out, n, x, at, rows, n, k); }

static void geglu_q8_0(const char *at, int64_t rows, int64_t n, int64_t k) {
    gemma_matmul_geglu_q8_0(out, n, x, at, at + gemma_packed_bytes_q8_0(n, k), rows, n, k);
}

static void geglu_q4_0(const char *at, int64_t rows, int64_t n, int64_t k) {
    gemma_matmul_geglu_q4_0(out, n, x, at, at + gemma_packed_bytes_q4_0(n, k), rows, n, k);
}

static const measure MEASURES[] = {
    {"q8_0", q8_0, 512, 6912, 1152, 0, 1},
    {"q8_0", q8_0, 512, 1152, 6912, 0, 1},
    {"q4_0", q4_0, 512, 6912, 1152, 1, 1},
    {"q4_0", q4_0, 512, 1152, 6912, 1, 1},
    {"q8_0 geglu", geglu_q8_0, 512, 6912, 1152, 0, 2},
    {"q4_0 geglu", geglu_q4_0, 512, 6912, 1152, 1, 2},
    {"q8_0", q8_0, 64, 6912, 1152, 0, 1},
    {"q4_0", q4_0, 64, 6912, 1152, 1, 1},
    {"q8_0", q8_0, 16, 6912, 1152, 0, 1},
    {"q4_0", q4_0, 16, 6912, 1152, 1, 1},
    {"q8_0", q8_0, 8, 6912, 1152, 0, 1},
    {"q4_0", q4_0, 8, 6912, 1152, 1, 1},
    {"q8_0", q8_0, 4, 6912, 1152, 0, 1},
    {"q4_0", q4_0, 4, 6912, 1152, 1, 1},
    {"q8_0", q8_0, 1, 6912, 1152, 0, 1},
    {"q8_0", q8_0, 1, 1152, 6912, 0, 1},
    {"q8_0", q8_0, 1, 1024, 1152, 0, 1},
    {"q8_0 geglu", geglu_q8_0, 1, 6912, 1152, 0, 2},
    {"q8_0", q8_0, 1, 262144, 1152, 0, 1},
    {"q4_0", q4_0, 1, 6912, 1152, 1, 1},
    {"q4_0", q4_0, 1, 1152, 6912, 1, 1},
    {"q4_0", q4_0, 1, 1024, 1152, 1, 1},
    {"q4_0 geglu", geglu_q4_0, 1, 6912, 1152, 1, 2},
    {"q4_0", q4_0, 1, 262144, 1152, 1, 1},
};

static int64_t packed_bytes(int q4, int64_t n, int64_t k) {
    return q4 ? gemma_packed_bytes_q4_0(n, k) : gemma_packed_bytes_q8_0(n, k);
}

static double larger(double a, double b) { return a > b ? a : b; }

static void run_measure(const measure *m) {
    const int64_t bytes = m->matrices * packed_bytes(m->q4, m->n, m->k), places = POOL_BYTES / bytes;
    const double operations = 2.0 * m->matrices * (double)(m->rows * m->n) * (double)m->k;
    double best = 1e9, read = 0, peak = 0;
    int64_t place = 0;
    const int calls = bytes * m->rows < (64 << 20) ? 8 : 1;
    if (m->q4)
        gemma_quantize_rows_q4_0(x, values, m->k, m->rows, m->k);
    else
        gemma_quantize_rows_q8_0(x, values, m->k, m->rows, m->k);
    for (int round = 0; round < ROUNDS; round++) {
        read = larger(read, read_ceiling());
        peak = larger(peak, bytes_ceiling());
        for (int i = 0; i < 4; i++) {
            double start = now();
            for (int call = 0; call < calls; call++) m->run(pool + place++ % places * bytes, m->rows, m->n, m->k);
            double seconds = (now() - start) / calls;
            best = seconds < best ? seconds : best;
        }
        peak = larger(peak, bytes_ceiling());
    }
    printf(
        "%-11s rows %3lld n %6lld k %4lld  %7.1f us  %6.1f GB/s (%3.0f %% of %5.1f)  %7.1f GOP/s (%3.0f %% of %6.1f)\n",
        m->name, (long long)m->rows, (long long)m->n, (long long)m->k, best * 1e6, (double)bytes / best / 1e9,
        (double)bytes / best / 1e7 / read, read, operations / best / 1e9, peak > 0 ? operations / best / 1e7 / peak : 0,
        peak);
    fflush(stdout);
}

// ---- GGUF's own blocks, in place
// -----------------------------------------------------------------------------------------------

typedef struct {
    const char *name;
    int32_t type, cols, bytes;
} blocks;

static const blocks BLOCKS[] = {
    {"q4_1", 3, 32, 20},    {"q5_0", 6, 32, 22},    {"q5_1", 7, 32, 24},    {"iq4_nl", 20, 32, 18},
    {"q2_k", 10, 256, 84},  {"q3_k", 11, 256, 110}, {"q4_k", 12, 256, 144}, {"q5_k", 13, 256, 176},
    {"q6_k", 14, 256, 210},
};

static void run_blocks(const blocks *b, int64_t rows, int64_t n, int64_t k) {
    const int64_t bytes = n * k / b->cols * b->bytes, places = POOL_BYTES / bytes;
    double best[2] = {1e9, 1e9}, read = 0; // rows as int8, rows in f32
    int64_t place = 0;
    gemma_quantize_rows_blocks(x, values, k, rows, k);
    for (int round = 0; round < ROUNDS; round++) {
        read = larger(read, read_ceiling());
        for (int i = 0; i < 8; i++) {
            double start = now();
            if (i % 2 == 0)
                gemma_matmul_blocks(out, n, x, pool + place++ % places * bytes, b->type, rows, n, k);
            else
                gemma_gemv_blocks(out, n, values, k, pool + place++ % places * bytes, b->type, rows, n, k);
            double seconds = now() - start;
            if (seconds < best[i % 2]) best[i % 2] = seconds;
        }
    }
    printf("%-11s rows %3lld n %6lld k %4lld  %7.1f us  %6.1f GB/s (%3.0f %% of %5.1f)  rows in f32 %6.1f GB/s\n",
           b->name, (long long)rows, (long long)n, (long long)k, best[0] * 1e6, (double)bytes / best[0] / 1e9,
           (double)bytes / best[0] / 1e7 / read, read, (double)bytes / best[1] / 1e9);
    fflush(stdout);
}

// ---- packing
// ------------------------------------------------------------------------------------------------------------------

typedef struct {
    const char *name;
    void (*run)(const char *at, int64_t n, int64_t k);
    int64_t in_bytes; // per 32 weights
    int q4;
} packing;

static char *panels;

static void f32_q8_0(const char *at, int64_t n, int64_t k) { gemma_pack_q8_0_f32(panels, (const float *)at, k, n, k); }
static void bf16_q8_0(const char *at, int64_t n, int64_t k) {
    gemma_pack_q8_0_bf16(panels, (const uint16_t *)at, k, n, k);
}
static void blocks_q8_0(const char *at, int64_t n, int64_t k) { gemma_pack_q8_0_blocks(panels, at, n, k); }
static void f32_q4_0(const char *at, int64_t n, int64_t k) { gemma_pack_q4_0_f32(panels, (const float *)at, k, n, k); }
static void bf16_q4_0(const char *at, int64_t n, int64_t k) {
    gemma_pack_q4_0_bf16(panels, (const uint16_t *)at, k, n, k);
}
static void blocks_q4_0(const char *at, int64_t n, int64_t k) { gemma_pack_q4_0_blocks(panels, at, n, k); }

static const packing PACKINGS[] = {
    {"f32 to q8_0", f32_q8_0, 128, 0}, {"bf16 to q8_0", bf16_q8_0, 64, 0}, {"blocks to q8_0", blocks_q8_0, 34, 0},
    {"f32 to q4_0", f32_q4_0, 128, 1}, {"bf16 to q4_0", bf16_q4_0, 64, 1}, {"blocks to q4_0", blocks_q4_0, 18, 1},
};

static void run_packing(const packing *p, int64_t n, int64_t k) {
    const int64_t bytes = n * k / 32 * p->in_bytes, places = POOL_BYTES / bytes;
    double best = 1e9, read = 0;
    for (int round = 0; round < 3 * ROUNDS; round++) {
        read = larger(read, read_ceiling());
        double start = now();
        p->run(pool + round % places * bytes, n, k);
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    printf("pack %-15s n %5lld k %4lld  %7.1f us  %5.1f GB/s read, %5.1f written (%3.0f %% of %5.1f in all)\n", p->name,
           (long long)n, (long long)k, best * 1e6, (double)bytes / best / 1e9,
           (double)packed_bytes(p->q4, n, k) / best / 1e9,
           (double)(bytes + packed_bytes(p->q4, n, k)) / best / 1e7 / read, read);
    fflush(stdout);
}

static void *map(int64_t bytes) {
    void *pages = gemma_map_pages(bytes);
    if (!pages) exit(2);
    return pages;
}

int main(int count, char **arguments) {
    threads = count > 1 ? atoi(arguments[1]) : omp_get_num_procs();
    gemma_set_threads(threads);
    if (count > 2 && gemma_limit_isa(arguments[2]) != 0) return 2;
    pool = map(POOL_BYTES);
    values = map(512 * 6912 * 4);
    out = map((int64_t)512 * 6912 * 4);
    x = map(gemma_quantized_bytes(512, 6912));
    panels = map(gemma_packed_bytes_q8_0(6912, 1152));
    for (int64_t i = 0; i < POOL_BYTES / 4; i++)
        ((uint32_t *)pool)[i] = 0x3c003c00u + (uint32_t)(i * 2654435761u >> 8 & 0x7f007f);
    for (int64_t i = 0; i < 512 * 6912; i++) values[i] = (float)(i % 13) / 64;

    printf("%s, %d threads; best of %d, ceilings of the same minute\n", gemma_isa(), gemma_probe_threads(), 4 * ROUNDS);
    for (size_t i = 0; i < sizeof MEASURES / sizeof *MEASURES; i++) run_measure(&MEASURES[i]);
    for (size_t i = 0; i < sizeof BLOCKS / sizeof *BLOCKS; i++) {
        run_blocks(&BLOCKS[i], 1, 6912, 1024);
        run_blocks(&BLOCKS[i], 1, 1152, 6912);
        run_blocks(&BLOCKS[i], 4, 1152, 6912);
    }
    for (size_t i = 0; i < sizeof PACKINGS / sizeof *PACKINGS; i++) {
        run_packing(&PACKINGS[i], 6912, 1152);
        run_packing(&PACKINGS[i], 1152, 6912);
    }
    return 0;
}
