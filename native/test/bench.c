// bench: GB/s of the kernels that wait for memory, beside what plain reading reaches in the same run; and what a
// parallel region costs.
//   usage: ./build-native.sh --bench [THREADS [ISA]]
// Weights are of Gemma 3 1B's shapes, rotated through more memory than the caches hold. Median and best of 41; other
// programs on the machine move every figure, so compare only within one run.
#define _DEFAULT_SOURCE
#include "gemma_kernels.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#define REPEATS 41
#define POOL_BYTES ((int64_t)768 << 20)

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static char *pool; // weights, keys and values: what is streamed
static float *x, *out, *scratch;
static int threads;

// ---- what is measured: each reads `bytes` from `at` ----------------------------------------------------------------

typedef struct {
    const char *name;
    void (*run)(const char *at, int64_t rows, int64_t n, int64_t k);
    int64_t rows, n, k, bytes;
} measure;

typedef uint64_t words __attribute__((vector_size(16)));

// The yardstick: every line once, in four runs per thread and prefetched, which is the most this kind of machine gives.
static void read_plain(const char *at, int64_t rows, int64_t n, int64_t k) {
    (void)rows;
    const int64_t bytes = n * k * 2 / threads, run = bytes / 4 / 64 * 64;
#pragma omp parallel
    {
        const char *from = at + omp_get_thread_num() * bytes;
        words total[4] = {{0}, {0}, {0}, {0}};
        for (int64_t i = 0; i < run; i += 64) {
            for (int r = 0; r < 4; r++) {
                const words *line = (const words *)(from + r * run + i);
                __builtin_prefetch(from + r * run + i + 1536);
                total[r] ^= (line[0] ^ line[1]) ^ (line[2] ^ line[3]);
            }
        }
        words all = (total[0] ^ total[1]) ^ (total[2] ^ total[3]);
        if (all[0] == 1 && all[1] == 1) printf("\n"); // so that nothing is left out
    }
}

static void gemv_bf16(const char *at, int64_t rows, int64_t n, int64_t k) {
    gemma_gemv_bf16(out, n, x, k, (const uint16_t *)at, k, rows, n, k);
}

static void gemv_f16(const char *at, int64_t rows, int64_t n, int64_t k) {
    gemma_gemv_f16(out, n, x, k, (const uint16_t *)at, k, rows, n, k);
}

static void gemv_f32(const char *at, int64_t rows, int64_t n, int64_t k) {
    gemma_gemv_f32(out, n, x, k, (const float *)at, k, rows, n, k);
}

static void geglu_bf16(const char *at, int64_t rows, int64_t n, int64_t k) {
    const uint16_t *gate = (const uint16_t *)at;
    gemma_gemv_geglu_bf16(out, n, x, k, gate, gate + n * k, k, rows, n, k);
}

static void attend(const char *at, int64_t heads, int64_t slots, int64_t head_dim) { // one KV head
    const float *keys = (const float *)at;
    gemma_attend(out, x, keys, keys + slots * head_dim, GEMMA_F32, heads, 1, head_dim, slots, 0, slots, 0, scratch);
}

static const measure MEASURES[] = {
    {"read", read_plain, 1, 6912, 1152, 6912 * 1152 * 2},
    {"gemv bf16", gemv_bf16, 1, 6912, 1152, 6912 * 1152 * 2},
    {"gemv bf16", gemv_bf16, 1, 1152, 6912, 6912 * 1152 * 2},
    {"gemv bf16", gemv_bf16, 1, 1024, 1152, 1024 * 1152 * 2},
    {"gemv_geglu bf16", geglu_bf16, 1, 6912, 1152, 2 * 6912 * 1152 * 2},
    {"read", read_plain, 1, 262144, 1152, (int64_t)262144 * 1152 * 2},
    {"gemv bf16", gemv_bf16, 1, 262144, 1152, (int64_t)262144 * 1152 * 2},
    {"gemv f16", gemv_f16, 1, 6912, 1152, 6912 * 1152 * 2},
    {"gemv f32", gemv_f32, 1, 6912, 1152, 6912 * 1152 * 4},
    {"gemv bf16, 2 rows", gemv_bf16, 2, 6912, 1152, 6912 * 1152 * 2},
    {"gemv bf16, 4 rows", gemv_bf16, 4, 6912, 1152, 6912 * 1152 * 2},
    {"gemv bf16, 8 rows", gemv_bf16, 8, 6912, 1152, 6912 * 1152 * 2},
    {"gemv bf16, 16 rows", gemv_bf16, 16, 6912, 1152, 6912 * 1152 * 2},
    {"attend, 4 heads", attend, 4, 512, 256, 512 * 256 * 8},
    {"attend, 4 heads", attend, 4, 8192, 256, 8192 * 256 * 8},
    {"attend, 8 heads", attend, 8, 8192, 256, 8192 * 256 * 8},
    {"read", read_plain, 1, 6912, 1152, 6912 * 1152 * 2},
};

static void run_measure(const measure *m) {
    double seconds[REPEATS];
    int64_t places = POOL_BYTES / m->bytes, calls = m->bytes < (8 << 20) ? 8 : 1, place = 0;
    for (int i = -2; i < REPEATS; i++) { // two to warm up
        double start = now();
        for (int64_t call = 0; call < calls; call++) m->run(pool + place++ % places * m->bytes, m->rows, m->n, m->k);
        if (i >= 0) seconds[i] = (now() - start) / (double)calls;
    }
    qsort(seconds, REPEATS, sizeof *seconds, by_size);
    double median = seconds[REPEATS / 2], best = seconds[0];
    printf("%-20s n %6lld k %5lld  %6.1f GB/s (best %6.1f)  %8.1f us\n", m->name, (long long)m->n, (long long)m->k,
           (double)m->bytes / median / 1e9, (double)m->bytes / best / 1e9, median * 1e6);
    fflush(stdout);
}

static void run_region(void) {
    enum { BATCHES = 1000, REGIONS = 50 };
    double best = 1;
    for (int batch = 0; batch < BATCHES; batch++) {
        double start = now();
        for (int i = 0; i < REGIONS; i++) gemma_probe_threads();
        double each = (now() - start) / REGIONS;
        best = each < best ? each : best;
    }
    printf("one parallel region  %.2f us at best\n", best * 1e6);
}

int main(int count, char **arguments) {
    threads = count > 1 ? atoi(arguments[1]) : omp_get_num_procs();
    gemma_set_threads(threads);
    if (count > 2 && gemma_limit_isa(arguments[2]) != 0) return 2;
    pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    x = malloc(16 * 6912 * sizeof *x);
    out = malloc((size_t)16 * 262144 * sizeof *out);
    scratch = malloc((size_t)gemma_attend_scratch(16, 256, threads) * sizeof *scratch);
    if (pool == MAP_FAILED || !x || !out || !scratch) return 2;
    for (int64_t i = 0; i < POOL_BYTES / 4; i++)
        ((uint32_t *)pool)[i] = 0x3c003c00u + (uint32_t)(i * 2654435761u >> 8 & 0x7f007f);
    for (int64_t i = 0; i < 16 * 6912; i++) x[i] = (float)(i % 13) / 64;
    memset(out, 0, (size_t)16 * 262144 * sizeof *out);

    printf("%s, %d threads\n", gemma_isa(), gemma_probe_threads());
    run_region();
    for (size_t i = 0; i < sizeof MEASURES / sizeof *MEASURES; i++) run_measure(&MEASURES[i]);
    return 0;
}
