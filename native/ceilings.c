// ceilings: what this machine can do at most, measured: bytes per second out of memory, products and sums per second in
// registers. Each probe runs rounds on the whole team for about the time it is given and returns the rate of the best
// one, since what disturbs a round only makes it slower. The widest instructions are taken,
// whatever the tier, but for matrix instructions, which the system gives to who asks: the tier avx512-amx has asked.
#include "gemma_kernels.h"

#include <omp.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#if defined(__clang__)
#define UNROLL _Pragma("unroll")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

static volatile uint64_t sink; // takes what the loops compute, so that they are not dropped

// ---- memory --------------------------------------------------------------------------------------------------------

enum { LINE = 64, LINES = 4, STEP = LINE * LINES, LEAST_TO_SPLIT = 1 << 26 };

typedef uint64_t line __attribute__((vector_size(LINE)));

// Reads `streams` parts of `part` bytes each, side by side, asking for what lies `ahead` bytes further on (0: not).
#define READER(name, target)                                                                                           \
    target static uint64_t name(const char *data, int64_t part, int64_t streams, int64_t ahead) {                      \
        line sum = {0};                                                                                                \
        for (int64_t at = 0; at < part; at += STEP) {                                                                  \
            for (int64_t stream = 0; stream < streams; stream++) {                                                     \
                const char *from = data + stream * part + at;                                                          \
                if (ahead > 0) {                                                                                       \
                    UNROLL for (int i = 0; i < LINES; i++) __builtin_prefetch(from + ahead + i * LINE);                \
                }                                                                                                      \
                UNROLL for (int i = 0; i < LINES; i++) {                                                               \
                    line next;                                                                                         \
                    memcpy(&next, from + i * LINE, LINE);                                                              \
                    sum += next;                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        return sum[0] + sum[7];                                                                                        \
    }

// ---- arithmetic ----------------------------------------------------------------------------------------------------

// A round of a probe: `iterations` steps of CHAINS independent instructions each, whose latency therefore does not
// show.
#define CHAINS 12
#define ROUND_ITERATIONS (1 << 16)

#define FMA_LOOP(name, target, lanes)                                                                                  \
    typedef float name##_vector __attribute__((vector_size(lanes * 4)));                                               \
    target static uint64_t name(int64_t iterations) {                                                                  \
        volatile float factor = 0.999f, term = 1e-3f;                                                                  \
        name##_vector x = factor - (name##_vector){0}, y = term - (name##_vector){0}, chains[CHAINS];                  \
        UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = y * (float)i;                                              \
        for (int64_t n = 0; n < iterations; n++) {                                                                     \
            UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = chains[i] * x + y;                                     \
        }                                                                                                              \
        name##_vector sum = chains[0];                                                                                 \
        UNROLL for (int i = 1; i < CHAINS; i++) sum += chains[i];                                                      \
        return (uint64_t)sum[0];                                                                                       \
    }

// The same of an instruction that adds products to `vector` accumulators: dot(chain, a, b).
#define DOT_LOOP(name, target, vector, set_one, dot, first_lane)                                                       \
    target static uint64_t name(int64_t iterations) {                                                                  \
        volatile int32_t seed = 0x01010101;                                                                            \
        vector ones = set_one(seed), chains[CHAINS];                                                                   \
        UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = set_one(i);                                                \
        for (int64_t n = 0; n < iterations; n++) {                                                                     \
            UNROLL for (int i = 0; i < CHAINS; i++) chains[i] = dot(chains[i], ones, ones);                            \
        }                                                                                                              \
        vector sum = chains[0];                                                                                        \
        UNROLL for (int i = 1; i < CHAINS; i++) sum = dot(sum, chains[i], chains[i]);                                  \
        return (uint64_t)first_lane(sum);                                                                              \
    }

READER(read_any, )
FMA_LOOP(fma_any, , 4) // SSE2, NEON, or whatever the compiler makes of 16 bytes

#if defined(__x86_64__)
#define FOR(features) __attribute__((target(features)))

READER(read_avx2, FOR("avx2"))
READER(read_avx512, FOR("avx512f"))
FMA_LOOP(fma_avx2, FOR("avx2,fma"), 8)
FMA_LOOP(fma_avx512, FOR("avx512f"), 16)

#define LANE_256(v) _mm256_extract_epi32(v, 0)
#define LANE_512(v) _mm_cvtsi128_si32(_mm512_castsi512_si128(v))
#define DOT_BF16(c, a, b) _mm512_castps_si512(_mm512_dpbf16_ps(_mm512_castsi512_ps(c), (__m512bh)(a), (__m512bh)(b)))
DOT_LOOP(bytes_avx2, FOR("avx2,avxvnni"), __m256i, _mm256_set1_epi32, _mm256_dpbusd_avx_epi32, LANE_256)
// Where there is no VNNI: pairs of products in 16 bits, pairs of those in 32.
#define DOT_WIDE(c, a, b)                                                                                              \
    _mm256_add_epi32(c, _mm256_madd_epi16(_mm256_maddubs_epi16(opaque(a), b), _mm256_set1_epi16(1)))
FOR("avx2") static inline __m256i opaque(__m256i v) {
    __asm__("" : "+x"(v));
    return v;
}
DOT_LOOP(bytes_wide, FOR("avx2"), __m256i, _mm256_set1_epi32, DOT_WIDE, LANE_256)
DOT_LOOP(bytes_avx512, FOR("avx512f,avx512vnni"), __m512i, _mm512_set1_epi32, _mm512_dpbusd_epi32, LANE_512)
DOT_LOOP(bf16_avx512, FOR("avx512f,avx512bf16"), __m512i, _mm512_set1_epi32, DOT_BF16, LANE_512)

#if defined(__linux__)
// As many tiles of sums as leave room for their factors. What is multiplied is not 0, which would cost less power.
FOR("amx-tile,amx-bf16") static uint64_t bf16_amx(int64_t iterations) {
    enum { ROWS = 16, ROW_BYTES = 64 };
    static const struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } shapes = {1,
                0,
                {0},
                {ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES, ROW_BYTES},
                {ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS, ROWS}};
    uint16_t factors[ROWS * ROW_BYTES / 2];
    float sums[ROWS * ROW_BYTES / 4];
    for (int i = 0; i < ROWS * ROW_BYTES / 2; i++) factors[i] = (uint16_t)(0x3c00 + i * 40503 % 0x4ff + i % 2 * 0x8000);
    _tile_loadconfig(&shapes);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    _tile_loadd(4, factors, ROW_BYTES);
    _tile_loadd(5, factors, ROW_BYTES);
    _tile_loadd(6, factors, ROW_BYTES);
    _tile_loadd(7, factors, ROW_BYTES);
    for (int64_t n = 0; n < iterations; n++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums, ROW_BYTES);
    _tile_release();
    return (uint64_t)(sums[0] > 0);
}
#endif

static int has_avx_vnni(void) {
    unsigned eax, ebx, ecx, edx;
    return __builtin_cpu_supports("avx2") && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 4);
}

#endif

// Operations per second of `loop`, whose instructions do `operations` each, on the whole team.
static double best_rate(uint64_t (*loop)(int64_t), double operations, double seconds) {
    double best = 0, begin = omp_get_wtime(), end = begin;
    do {
        uint64_t computed = 0;
        int threads = 0;
        double start = omp_get_wtime();
#pragma omp parallel reduction(+ : computed, threads)
        {
            computed += loop(ROUND_ITERATIONS);
            threads += 1;
        }
        end = omp_get_wtime();
        sink = computed;
        double rate = operations * CHAINS * ROUND_ITERATIONS * threads / (end - start);
        if (rate > best) best = rate;
    } while (end - begin < seconds);
    return best;
}

double gemma_measure_fma(double seconds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return best_rate(fma_avx512, 2 * 16, seconds);
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return best_rate(fma_avx2, 2 * 8, seconds);
#endif
    return best_rate(fma_any, 2 * 4, seconds);
}

double gemma_measure_bf16(double seconds) {
#if defined(__x86_64__)
#if defined(__linux__)
    // the tier has asked the system for the tiles
    if (strcmp(gemma_isa(), "avx512-amx") == 0) return best_rate(bf16_amx, 2.0 * 4 / CHAINS * 16 * 16 * 32, seconds);
#endif
    if (__builtin_cpu_supports("avx512bf16")) return best_rate(bf16_avx512, 2 * 32, seconds);
#endif
    (void)seconds;
    return 0;
}

double gemma_measure_int8(double seconds) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vnni")) return best_rate(bytes_avx512, 2 * 64, seconds);
    if (has_avx_vnni()) return best_rate(bytes_avx2, 2 * 32, seconds);
    if (__builtin_cpu_supports("avx2")) return best_rate(bytes_wide, 2 * 32, seconds);
#endif
    (void)seconds;
    return 0;
}

// One sweep over the data, each thread its share.
static double read_once(const char *data, int64_t bytes, int64_t streams, int64_t ahead) {
    uint64_t (*reader)(const char *, int64_t, int64_t, int64_t) = read_any;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        reader = read_avx512;
    else if (__builtin_cpu_supports("avx2"))
        reader = read_avx2;
#endif
    uint64_t computed = 0;
    int64_t read = 0;
    double start = omp_get_wtime();
#pragma omp parallel reduction(+ : computed, read)
    {
        int64_t threads = omp_get_num_threads(), thread = omp_get_thread_num();
        int64_t share = bytes / threads, part = share / streams / STEP * STEP;
        computed += reader(data + thread * share, part, streams, ahead);
        read += part * streams;
    }
    double seconds = omp_get_wtime() - start;
    sink = computed;
    return (double)read / seconds;
}

// Every sweep reads the part of the data after the one before, so that the caches have long lost it when it comes
// again.
double gemma_measure_read(const void *data, int64_t bytes, double seconds) {
    static const struct {
        int64_t streams, ahead;
    } WAYS[] = {{1, 0}, {1, 1024}, {1, 4096}, {4, 0}, {4, 1024}, {4, 4096}};
    int64_t parts = bytes >= LEAST_TO_SPLIT ? 4 : 1, part = bytes / parts, next = 0;
    double best = 0, begin = omp_get_wtime();
    do {
        for (int way = 0; way < 6; way++) {
            double rate = read_once((const char *)data + next * part, part, WAYS[way].streams, WAYS[way].ahead);
            if (rate > best) best = rate;
            next = (next + 1) % parts;
        }
    } while (omp_get_wtime() - begin < seconds);
    return best;
}
