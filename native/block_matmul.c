// block_matmul: a few rows of int8 activations (int8_rows.h) times matrices in GGUF's own blocks (gguf_blocks.h), in
// place
//   out[r, o] = sum over groups of 32 columns of x's scale * (w's scale * sum of (x's q * w's quant)
//                                                             - w's minimum * sum of (x's q))
//   for several matrices side by side (group: Q, K, V) and for gelu(gate . x) * (up . x) (geglu)
// Each type is a scale, a minimum and quants: unsigned ones of 6 bits at most, or signed bytes without a minimum. The
// inner sums are exact, in int32; the rest is in f32, group after group in the same order: an output's bits depend
// neither on the number of threads nor on the rows beside it. Threads split the outputs.
#include "exp.h"
#include "gguf_blocks.h"
#include "int8_rows.h"
#include "team.h"

// Eight groups are taken together, a block of 256 columns or eight of 32.
#define GROUPS 8

// Rows that are multiplied at once.
#define MOST_ROWS 4

// Outputs whose weights stay in a cache while all rows are multiplied by them.
#define OUTPUTS 16

// Bytes of weights asked for ahead of the loads.
#define AHEAD 1024

// Bytes of weights that a thread takes at least: as much as it reads in some microseconds.
#define LEAST_PART (64 << 10)

typedef uint8_t quants __attribute__((vector_size(GROUP)));
typedef uint16_t pairs __attribute__((vector_size(GROUP)));
typedef int32_t ints __attribute__((vector_size(GROUPS * 4)));
typedef float floats __attribute__((vector_size(GROUPS * 4)));

// ---- vectors of eight ----------------------------------------------------------------------------------------------

INLINE floats load_floats(const float *p) {
    floats v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE floats all_of(float x) { return x - (floats){0}; }

INLINE floats add_product(floats a, floats b, floats sum) {
#if defined(__AVX2__)
    return (floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)sum);
#else
    vf x[GROUPS / LANES], y[GROUPS / LANES], to[GROUPS / LANES];
    memcpy(x, &a, sizeof a);
    memcpy(y, &b, sizeof b);
    memcpy(to, &sum, sizeof sum);
    UNROLL for (int i = 0; i < GROUPS / LANES; i++) to[i] = multiply_add(x[i], y[i], to[i]);
    memcpy(&sum, to, sizeof sum);
    return sum;
#endif
}

INLINE float sum_of(floats v) {
    typedef float fours __attribute__((vector_size(16)));
    fours half[2];
    memcpy(half, &v, sizeof v);
    half[0] += half[1];
    return (half[0][0] + half[0][2]) + (half[0][1] + half[0][3]);
}

// Eight unsigned bytes, the first in the lowest bits.
INLINE floats bytes_of_word(uint64_t word) {
#if defined(__AVX2__)
    return (floats)_mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_cvtsi64_si128((int64_t)word)));
#else
    floats v;
    for (int i = 0; i < GROUPS; i++) v[i] = (float)(word >> 8 * i & 255);
    return v;
#endif
}

// ---- scales and minima of eight groups -----------------------------------------------------------------------------

// Of the first and of the last 16 columns of each group; where a group has but one of each, it is `first`.
typedef struct {
    floats first, last, first_min, last_min;
} factors;

INLINE int is_large(int type) { return type >= B_Q2_K && type <= B_Q6_K; }

// Whether 16 columns have a scale of their own.
INLINE int has_halves(int type) { return type == B_Q2_K || type == B_Q3_K || type == B_Q6_K; }

INLINE int is_signed(int type) { return type == B_Q8_0 || type == B_IQ4_NL; }

INLINE uint32_t word_at(const uint8_t *p) {
    uint32_t word;
    memcpy(&word, p, sizeof word);
    return word;
}

// The even and the odd ones of 16 bytes.
INLINE void split_bytes(const uint8_t *bytes, floats *even, floats *odd) {
#if defined(__AVX2__)
    const __m128i order = _mm_setr_epi8(0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15);
    const __m128i v = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)bytes), order);
    *even = bytes_of_word((uint64_t)_mm_cvtsi128_si64(v));
    *odd = bytes_of_word((uint64_t)_mm_extract_epi64(v, 1));
#else
    for (int i = 0; i < GROUPS; i++) {
        (*even)[i] = bytes[2 * i];
        (*odd)[i] = bytes[2 * i + 1];
    }
#endif
}

INLINE factors factors_q2_k(const uint8_t *block) {
    const floats d = all_of(half_at(block + 80)), dmin = all_of(half_at(block + 82));
    uint8_t scales[16], minima[16];
    for (int i = 0; i < 16; i++) scales[i] = block[i] & 15, minima[i] = block[i] >> 4;
    factors f;
    split_bytes(scales, &f.first, &f.last);
    split_bytes(minima, &f.first_min, &f.last_min);
    return (factors){d * f.first, d * f.last, dmin * f.first_min, dmin * f.last_min};
}

INLINE factors factors_q3_k(const uint8_t *block) {
    const floats d = all_of(half_at(block + 108));
    const uint32_t nibbles = 0x0f0f0f0fu, twos = 0x03030303u;
    const uint32_t a = word_at(block + 96), b = word_at(block + 100), high = word_at(block + 104);
    const uint32_t words[4] = {(a & nibbles) | (high & twos) << 4, (b & nibbles) | (high >> 2 & twos) << 4,
                               (a >> 4 & nibbles) | (high >> 4 & twos) << 4,
                               (b >> 4 & nibbles) | (high >> 6 & twos) << 4};
    uint8_t scales[16];
    memcpy(scales, words, sizeof scales);
    factors f;
    split_bytes(scales, &f.first, &f.last);
    f.first = d * (f.first - 32);
    f.last = d * (f.last - 32);
    return (factors){f.first, f.last, 4 * f.first, 4 * f.last};
}

// Of q4_k and q5_k.
INLINE factors factors_q4_k(const uint8_t *block) {
    const uint32_t nibbles = 0x0f0f0f0fu, twos = 0x03030303u, sixes = 0x3f3f3f3fu;
    const uint32_t a = word_at(block + 4), b = word_at(block + 8), c = word_at(block + 12);
    const uint64_t scales = (a & sixes) | (uint64_t)((c & nibbles) | (a >> 6 & twos) << 4) << 32;
    const uint64_t minima = (b & sixes) | (uint64_t)((c >> 4 & nibbles) | (b >> 6 & twos) << 4) << 32;
    return (factors){.first = half_at(block) * bytes_of_word(scales),
                     .first_min = half_at(block + 2) * bytes_of_word(minima)};
}

INLINE factors factors_q6_k(const uint8_t *block) {
    const floats d = all_of(half_at(block + 208));
    uint8_t scales[16];
    for (int i = 0; i < 16; i++) scales[i] = block[192 + i] ^ 128;
    factors f;
    split_bytes(scales, &f.first, &f.last);
    f.first = d * (f.first - 128);
    f.last = d * (f.last - 128);
    return (factors){f.first, f.last, 32 * f.first, 32 * f.last};
}

// Of `groups` blocks of 32 columns, 0 behind the last.
INLINE factors factors_of_small(const uint8_t *blocks, int type, int groups) {
    uint16_t d[GROUPS] = {0}, m[GROUPS] = {0};
    for (int i = 0; i < groups; i++) {
        memcpy(&d[i], blocks + i * BLOCK_TYPES[type].bytes, 2);
        if (type == B_Q4_1 || type == B_Q5_1) memcpy(&m[i], blocks + i * BLOCK_TYPES[type].bytes + 2, 2);
    }
    factors f = {0};
    float scales[GROUPS], minima[GROUPS];
    widen_halves(scales, d, GROUPS, F16);
    f.first = load_floats(scales);
    if (type == B_Q4_0) f.first_min = 8 * f.first;
    if (type == B_Q5_0) f.first_min = 16 * f.first;
    if (type == B_Q4_1 || type == B_Q5_1) {
        widen_halves(minima, m, GROUPS, F16);
        f.first_min = -load_floats(minima);
    }
    return f;
}

INLINE factors factors_of(const uint8_t *block, int type, int groups) {
    return type == B_Q2_K                      ? factors_q2_k(block)
           : type == B_Q3_K                    ? factors_q3_k(block)
           : type == B_Q4_K || type == B_Q5_K  ? factors_q4_k(block)
           : type == B_Q6_K                    ? factors_q6_k(block)
                                               : factors_of_small(block, type, groups);
}

// ---- quants of a group ---------------------------------------------------------------------------------------------

INLINE quants load_quants(const uint8_t *p) {
    quants v;
    memcpy(&v, p, sizeof v);
    return v;
}

// Of each byte the bits from `shift` on that `mask` keeps; they do not reach into the next byte.
INLINE quants bits_of(quants v, int shift, uint8_t mask) { return (quants)((pairs)v >> shift) & mask; }

// The low halves of 16 bytes, then the high halves.
INLINE quants nibbles_of(const uint8_t *p) {
#if defined(__AVX2__)
    const __m128i low = _mm_loadu_si128((const __m128i *)p), high = _mm_srli_epi16(low, 4);
    return (quants)_mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1) & 15;
#else
    quants v;
    for (int i = 0; i < GROUP / 2; i++) v[i] = p[i] & 15, v[i + GROUP / 2] = p[i] >> 4;
    return v;
#endif
}

// Bit i of a word as 16 or 0.
INLINE quants fifth_bits_of(const uint8_t *p) {
#if defined(__AVX2__)
    const __m256i spread = _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i one = _mm256_set1_epi64x((int64_t)0x8040201008040201);
    const __m256i bytes = _mm256_shuffle_epi8(_mm256_set1_epi32((int32_t)word_at(p)), spread);
    return (quants)_mm256_cmpeq_epi8(_mm256_and_si256(bytes, one), one) & 16;
#else
    const uint32_t word = word_at(p);
    quants v;
    for (int i = 0; i < GROUP; i++) v[i] = (word >> i & 1) << 4;
    return v;
#endif
}

INLINE quants levels_iq4_nl(quants index) {
#if defined(__AVX2__)
    const __m256i table = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)IQ4_NL_LEVELS));
    return (quants)_mm256_shuffle_epi8(table, (__m256i)index);
#else
    for (int i = 0; i < GROUP; i++) index[i] = (uint8_t)IQ4_NL_LEVELS[index[i]];
    return index;
#endif
}

// Group g of the eight that begin at `block`.
INLINE quants quants_of(const uint8_t *block, int type, int g) {
    if (!is_large(type)) block += g * BLOCK_TYPES[type].bytes;
    switch (type) {
        case B_Q4_0: return nibbles_of(block + 2);
        case B_Q4_1: return nibbles_of(block + 4);
        case B_Q5_0: return nibbles_of(block + 6) | fifth_bits_of(block + 2);
        case B_Q5_1: return nibbles_of(block + 8) | fifth_bits_of(block + 4);
        case B_IQ4_NL: return levels_iq4_nl(nibbles_of(block + 2));
        case B_Q2_K: return bits_of(load_quants(block + 16 + g / 4 * 32), g % 4 * 2, 3);
        case B_Q3_K:
            return bits_of(load_quants(block + 32 + g / 4 * 32), g % 4 * 2, 3) |
                   bits_of(load_quants(block), g, 1) << 2;
        case B_Q4_K: return bits_of(load_quants(block + 16 + g / 2 * 32), g % 2 * 4, 15);
        case B_Q5_K:
            return bits_of(load_quants(block + 48 + g / 2 * 32), g % 2 * 4, 15) |
                   bits_of(load_quants(block + 16), g, 1) << 4;
        case B_Q6_K:
            return bits_of(load_quants(block + g / 4 * 64 + g % 2 * 32), g % 4 / 2 * 4, 15) |
                   bits_of(load_quants(block + 128 + g / 4 * 32), g % 4 * 2, 3) << 4;
        default: return load_quants(block + 2); // q8_0
    }
}

// Lane i = the sum of four products, of columns 4 i on. Pairs fit 16 bits: 63 * 127 * 2, or 128 * 127 * 2 of signed
// ones.
INLINE ints dots_of(quants w, const int8_t *x, int is_signed) {
#if defined(__AVX2__)
    __m256i v = (__m256i)w, q = _mm256_loadu_si256((const __m256i *)x);
    if (is_signed) {
        q = _mm256_sign_epi8(q, v);
        v = _mm256_abs_epi8(v);
    }
#if defined(__AVX512VNNI__)
    return (ints)_mm256_dpbusd_epi32(_mm256_setzero_si256(), v, q);
#elif defined(__AVXVNNI__)
    return (ints)_mm256_dpbusd_avx_epi32(_mm256_setzero_si256(), v, q);
#else
    return (ints)_mm256_madd_epi16(_mm256_maddubs_epi16(v, q), _mm256_set1_epi16(1));
#endif
#else
    typedef int16_t shorts __attribute__((vector_size(GROUP)));
    shorts q;
    memcpy(&q, x, sizeof q);
    const shorts v = (shorts)w;
    const shorts even = is_signed ? v << 8 >> 8 : v & 255, odd = is_signed ? v >> 8 : (shorts)((pairs)v >> 8);
    const shorts products = even * (q << 8 >> 8) + odd * (q >> 8);
    return ((ints)products << 16 >> 16) + ((ints)products >> 16);
#endif
}

// ---- products ------------------------------------------------------------------------------------------------------

// The first `n` of eight groups' numbers, 0 behind them.
INLINE floats load_groups(const float *p, int n) {
    float some[GROUPS] = {0};
    if (n == GROUPS) return load_floats(p);
    memcpy(some, p, (size_t)n * sizeof *p);
    return load_floats(some);
}

// Lanes of the first 16 columns, then of the last.
INLINE floats halves_of(float first, float last) {
#if defined(__AVX2__)
    return (floats)_mm256_blend_ps(_mm256_set1_ps(first), _mm256_set1_ps(last), 0xf0);
#else
    return (floats){first, first, first, first, last, last, last, last};
#endif
}

// totals, minima [R] += R rows, from group `g` on, times `groups` groups at `block`.
INLINE void add_groups(floats *totals, floats *minima, const uint8_t *block, const int8_row *x, int64_t g, int groups,
                       int type, int R) {
    const factors f = factors_of(block, type, groups);
    float first[MOST_ROWS][GROUPS], last[MOST_ROWS][GROUPS];
    UNROLL for (int r = 0; r < R; r++) {
        const floats scale = load_groups(x[r].scale + g, groups);
        const floats a = f.first * scale, b = f.last * scale;
        memcpy(first[r], &a, sizeof a);
        if (has_halves(type)) memcpy(last[r], &b, sizeof b);
        if (is_signed(type)) continue;
        const floats low = load_groups(x[r].low + g, groups), high = load_groups(x[r].high + g, groups);
        if (has_halves(type))
            minima[r] = add_product(f.last_min, high, add_product(f.first_min, low, minima[r]));
        else
            minima[r] = add_product(f.first_min, low + high, minima[r]);
    }
    UNROLL for (int i = 0; i < groups; i++) {
        const quants w = quants_of(block, type, i);
        UNROLL for (int r = 0; r < R; r++) {
            const ints dots = dots_of(w, x[r].q + (g + i) * GROUP, is_signed(type));
            const floats scale = has_halves(type) ? halves_of(first[r][i], last[r][i]) : all_of(first[r][i]);
            totals[r] = add_product(__builtin_convertvector(dots, floats), scale, totals[r]);
        }
    }
}

// out[r * out_stride] = R rows times one row of weights.
INLINE void dot_row(float *out, int64_t out_stride, const uint8_t *w, const int8_row *x, int64_t k, int type, int R) {
    const int64_t bytes = is_large(type) ? BLOCK_TYPES[type].bytes : GROUPS * BLOCK_TYPES[type].bytes;
    const int64_t count = k / GROUP;
    floats totals[MOST_ROWS] = {{0}}, minima[MOST_ROWS] = {{0}};
    int64_t g = 0;
    for (; g + GROUPS <= count; g += GROUPS, w += bytes) {
        for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(w + AHEAD + i);
        add_groups(totals, minima, w, x, g, GROUPS, type, R);
    }
    if (!is_large(type)) {
        // four, two and one more, whose numbers the compiler knows
        UNROLL for (int groups = GROUPS / 2; groups > 0; groups /= 2) {
            if (!((count - g) & groups)) continue;
            add_groups(totals, minima, w, x, g, groups, type, R);
            g += groups;
            w += groups * BLOCK_TYPES[type].bytes;
        }
    }
    UNROLL for (int r = 0; r < R; r++) out[r * out_stride] = sum_of(totals[r] - minima[r]);
}

// The same for n rows of weights.
typedef void rows_dot(float *out, int64_t out_stride, const uint8_t *w, const int8_row *x, int64_t n, int64_t k);

#define DEFINE_DOT(R, type)                                                                                            \
    static __attribute__((noinline)) void dot_##R##_##type(float *out, int64_t out_stride, const uint8_t *w,           \
                                                           const int8_row *x, int64_t n, int64_t k) {                  \
        const int64_t row_bytes = block_row_bytes(&BLOCK_TYPES[type], k);                                              \
        for (int64_t o = 0; o < n; o++) dot_row(out + o, out_stride, w + o * row_bytes, x, k, type, R);                \
    }
#define DEFINE_DOTS(type) DEFINE_DOT(1, type) DEFINE_DOT(2, type) DEFINE_DOT(4, type)
#define DOTS(type) [type] = {dot_1_##type, dot_2_##type, dot_4_##type}

DEFINE_DOTS(B_Q4_0)
DEFINE_DOTS(B_Q4_1)
DEFINE_DOTS(B_Q5_0)
DEFINE_DOTS(B_Q5_1)
DEFINE_DOTS(B_Q8_0)
DEFINE_DOTS(B_IQ4_NL)
DEFINE_DOTS(B_Q2_K)
DEFINE_DOTS(B_Q3_K)
DEFINE_DOTS(B_Q4_K)
DEFINE_DOTS(B_Q5_K)
DEFINE_DOTS(B_Q6_K)
static rows_dot *const ROWS_DOTS[][3] = {DOTS(B_Q4_0), DOTS(B_Q4_1), DOTS(B_Q5_0), DOTS(B_Q5_1),
                                         DOTS(B_Q8_0), DOTS(B_IQ4_NL), DOTS(B_Q2_K), DOTS(B_Q3_K),
                                         DOTS(B_Q4_K), DOTS(B_Q5_K), DOTS(B_Q6_K)};

typedef struct {
    const void *x;
    int64_t rows, k;
} input;

// Outputs [from, to) of one matrix, the first of them to out[0].
static void multiply_outputs(float *out, int64_t out_stride, const input *in, const void *w, int32_t type, int64_t from,
                             int64_t to) {
    int8_row x[GEMMA_GEMV_MAX_ROWS];
    for (int64_t r = 0; r < in->rows; r++) x[r] = int8_row_at(in->x, r, in->k);
    const int64_t row_bytes = block_row_bytes(&BLOCK_TYPES[type], in->k);
    for (int64_t o = from; o < to; o += OUTPUTS) {
        const int64_t n = to - o < OUTPUTS ? to - o : OUTPUTS;
        for (int64_t r = 0; r < in->rows;) {
            const int64_t left = in->rows - r;
            const int size = left >= 4 ? 2 : left >= 2 ? 1 : 0;
            ROWS_DOTS[type][size](out + r * out_stride + (o - from), out_stride, (const uint8_t *)w + o * row_bytes,
                                  x + r, n, in->k);
            r += 1 << size;
        }
    }
}

// Outputs [from, to) of the matrices side by side.
static void multiply_group(float *out, int64_t out_stride, const input *in, const void *const *w, const int32_t *types,
                           const int64_t *n, int64_t count, int64_t from, int64_t to) {
    for (int64_t i = 0, first = 0; i < count; first += n[i], i++) {
        const int64_t begin = from > first ? from - first : 0, end = to - first < n[i] ? to - first : n[i];
        if (begin < end) multiply_outputs(out + first + begin, out_stride, in, w[i], types[i], begin, end);
    }
}

// Outputs [from, to) of gelu(gate . x) * (up . x).
static void multiply_geglu(float *out, int64_t out_stride, const input *in, const void *gate, int32_t gate_type,
                           const void *up, int32_t up_type, int64_t from, int64_t to) {
    float gates[GEMMA_GEMV_MAX_ROWS * OUTPUTS], ups[GEMMA_GEMV_MAX_ROWS * OUTPUTS];
    for (int64_t o = from; o < to; o += OUTPUTS) {
        const int64_t n = to - o < OUTPUTS ? to - o : OUTPUTS;
        multiply_outputs(gates, OUTPUTS, in, gate, gate_type, o, o + n);
        multiply_outputs(ups, OUTPUTS, in, up, up_type, o, o + n);
        for (int64_t r = 0; r < in->rows; r++) {
            geglu_row(out + r * out_stride + o, gates + r * OUTPUTS, ups + r * OUTPUTS, n);
        }
    }
}

// Outputs that a thread takes at least.
static int64_t grain(int32_t type, int64_t k) {
    const int64_t bytes = OUTPUTS * block_row_bytes(&BLOCK_TYPES[type], k);
    return (LEAST_PART + bytes - 1) / bytes * OUTPUTS;
}

void TIER(gemma_matmul_blocks)(float *out, int64_t out_stride, const void *x, const void *w, int32_t type, int64_t rows,
                               int64_t n, int64_t k) {
    const input in = {x, rows, k};
    TEAM_TAKE(n, grain(type, k), n * k * (1 + rows) / 32, from, to,
              multiply_outputs(out + from, out_stride, &in, w, type, from, to));
}

void TIER(gemma_matmul_group_blocks)(float *out, int64_t out_stride, const void *x, const void *const *w,
                                     const int32_t *types, const int64_t *n, int64_t count, int64_t rows, int64_t k) {
    const input in = {x, rows, k};
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) total += n[i];
    TEAM_TAKE(total, grain(types[0], k), total * k * (1 + rows) / 32, from, to,
              multiply_group(out, out_stride, &in, w, types, n, count, from, to));
}

void TIER(gemma_matmul_geglu_blocks)(float *out, int64_t out_stride, const void *x, const void *gate, int32_t gate_type,
                                     const void *up, int32_t up_type, int64_t rows, int64_t n, int64_t k) {
    const input in = {x, rows, k};
    TEAM_TAKE(n, grain(gate_type, k), 2 * n * k * (1 + rows) / 32, from, to,
              multiply_geglu(out, out_stride, &in, gate, gate_type, up, up_type, from, to));
}
