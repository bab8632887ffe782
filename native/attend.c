// attend: one query position against a ring of keys and values, softmax included
//   s[h, j] = q[h] . k[g, slot(j)], softcapped if asked; out[h] = sum_j softmax(s[h])[j] * v[g, slot(j)]
//   slot(j) = (first_slot + j) mod slots, g = h / (heads / kv_heads); q, out f32 [heads, head_dim], k, v f32 or bf16
//   [kv_heads, slots, head_dim]; all sums f32
// One pass over K and V per KV head for all its query heads: blocks of slots, and per head a running maximum and sum by
// which earlier blocks are rescaled (online softmax: Milakov and Gimelshein 2018). Threads split the KV heads and, when
// there are too few of them, ranges of slots too, whose partial results are merged at the end (flash decoding).
#include "attend.h"
#include "softcap.h"
#include "team.h"

// Slots whose scores are held at a time: K and V of a block, 32 KB at head_dim 256, stay in the L1 cache while all
// heads use them.
#define BLOCK 16
#define MIN_RANGE 32 // slots below which a range of its own does not pay

typedef struct {
    const float *q;
    const char *k, *v;
    dtype type; // of k and v
    int64_t heads, kv_heads, head_dim, slots, first_slot, count;
    float softcap;
    float *scratch;
    int64_t parts; // ranges of slots per KV head
} attention;

static partial *partial_of(const attention *a, int64_t head, int64_t part) {
    return (partial *)(a->scratch + (part * a->heads + head) * partial_floats(a->head_dim));
}

// One step of score_tile: the first min(left, LANES) products of H heads and S slots.
INLINE void score_step(vf (*sums)[4], const float *q, const char *k, const char *v, int64_t head_dim, int64_t left,
                       int H, int S, dtype type) {
    vf keys[4];
    UNROLL for (int s = 0; s < S; s++) {
        keys[s] = load_n_as(k, s * head_dim, left, type);
        __builtin_prefetch(v + s * head_dim * bytes_of(type));
    }
    UNROLL for (int h = 0; h < H; h++) {
        vf query = load_n(q + h * head_dim, left);
        UNROLL for (int s = 0; s < S; s++) sums[h][s] += query * keys[s];
    }
}

// scores[h, s] = q[h] . k[s] for H heads and S slots, constants where this is inlined. V is asked for on the way: it is
// next.
INLINE void score_tile(float *scores, const float *q, const char *k, const char *v, int64_t head_dim, int H, int S,
                       dtype type) {
    const int64_t bytes = bytes_of(type);
    vf sums[4][4];
    UNROLL for (int h = 0; h < H; h++) { UNROLL for (int s = 0; s < S; s++) sums[h][s] = splat(0); }
    int64_t i = 0;
    for (; i + LANES <= head_dim; i += LANES) {
        score_step(sums, q + i, k + i * bytes, v + i * bytes, head_dim, LANES, H, S, type);
    }
    if (i < head_dim) score_step(sums, q + i, k + i * bytes, v + i * bytes, head_dim, head_dim - i, H, S, type);
    UNROLL for (int h = 0; h < H; h++) { UNROLL for (int s = 0; s < S; s++) scores[h * BLOCK + s] = sum(sums[h][s]); }
}

INLINE void score_block(float *scores, const float *q, const char *k, const char *v, int64_t head_dim, int64_t n,
                        int H, dtype type) {
    const int64_t row = head_dim * bytes_of(type);
    int64_t s = 0;
    for (; s + 4 <= n; s += 4) score_tile(scores + s, q, k + s * row, v + s * row, head_dim, H, 4, type);
    for (; s < n; s++) score_tile(scores + s, q, k + s * row, v + s * row, head_dim, H, 1, type);
}

// values[h] = values[h] * scales[h] + sum_s weights[h, s] * v[s] for H heads and `left` columns, D vectors of them;
// asks for the keys of the next block on the way.
INLINE void value_tile(float *values, int64_t values_stride, const float *scales, const float *weights, const char *v,
                       const char *next_k, int64_t head_dim, int64_t n, int64_t left, int H, int D, dtype type) {
    vf sums[4][4];
    UNROLL for (int h = 0; h < H; h++) {
        UNROLL for (int d = 0; d < D; d++) {
            sums[h][d] = load_n(values + h * values_stride + d * LANES, left - d * LANES) * scales[h];
        }
    }
    for (int64_t s = 0; s < n; s++) {
        vf vs[4];
        UNROLL for (int d = 0; d < D; d++) {
            vs[d] = load_n_as(v, s * head_dim + d * LANES, left - d * LANES, type);
            __builtin_prefetch(next_k + (s * head_dim + d * LANES) * bytes_of(type));
        }
        UNROLL for (int h = 0; h < H; h++) {
            vf weight = splat(weights[h * BLOCK + s]);
            UNROLL for (int d = 0; d < D; d++) sums[h][d] += vs[d] * weight;
        }
    }
    UNROLL for (int h = 0; h < H; h++) {
        UNROLL for (int d = 0; d < D; d++) {
            store_n(values + h * values_stride + d * LANES, sums[h][d], left - d * LANES);
        }
    }
}

#if defined(__AVX512F__) || defined(__aarch64__)
#define VALUE_VECTORS 4 // of 32 registers, 4 heads take 16 for sums
#else
#define VALUE_VECTORS 2
#endif

INLINE void value_block(float *values, int64_t values_stride, const float *scales, const float *weights, const char *v,
                        const char *next_k, int64_t head_dim, int64_t n, int H, dtype type) {
    const int64_t wide = VALUE_VECTORS * LANES, bytes = bytes_of(type);
    int64_t d = 0;
    for (; d + wide <= head_dim; d += wide) {
        value_tile(values + d, values_stride, scales, weights, v + d * bytes, next_k + d * bytes, head_dim, n, wide, H,
                   VALUE_VECTORS, type);
    }
    for (; d < head_dim; d += LANES) {
        value_tile(values + d, values_stride, scales, weights, v + d * bytes, next_k + d * bytes, head_dim, n,
                   head_dim - d, H, 1, type);
    }
}

// Functions of their own for 4, 2 and 1 heads, so that their pointers find registers too.
#define DEFINE_HEADS(H, type)                                                                                          \
    static __attribute__((noinline)) void score_##H##_##type(float *scores, const float *q, const char *k,             \
                                                             const char *v, int64_t head_dim, int64_t n) {             \
        score_block(scores, q, k, v, head_dim, n, H, type);                                                            \
    }                                                                                                                  \
    static __attribute__((noinline)) void value_##H##_##type(float *values, int64_t stride, const float *scales,       \
                                                             const float *weights, const char *v, const char *next_k,  \
                                                             int64_t head_dim, int64_t n) {                            \
        value_block(values, stride, scales, weights, v, next_k, head_dim, n, H, type);                                 \
    }
DEFINE_HEADS(4, F32)
DEFINE_HEADS(2, F32)
DEFINE_HEADS(1, F32)
DEFINE_HEADS(4, BF16)
DEFINE_HEADS(2, BF16)
DEFINE_HEADS(1, BF16)

typedef struct {
    int heads;
    void (*score)(float *, const float *, const char *, const char *, int64_t, int64_t);
    void (*value)(float *, int64_t, const float *, const float *, const char *, const char *, int64_t, int64_t);
} head_group;
#define HEADS(H, type)                                                                                                 \
    { H, score_##H##_##type, value_##H##_##type }
static const head_group GROUPS[][3] = {[F32] = {HEADS(4, F32), HEADS(2, F32), HEADS(1, F32)},
                                       [BF16] = {HEADS(4, BF16), HEADS(2, BF16), HEADS(1, BF16)}};

// Scores into weights, exp(s - max), with the new maximum of the head; gives what its earlier values are to be scaled
// by.
static float weigh(float *scores, int64_t n, partial *p, float softcap) {
    if (softcap > 0) softcap_run(scores, n, softcap);
    float max = fmaxf(p->max, max_run(scores, n));
    float scale = p->max == max ? 1 : vexp(splat(p->max - max))[0];
    p->sum = p->sum * scale + exp_run(scores, n, max);
    p->max = max;
    return scale;
}

// Query heads [head, last) of one KV head against n consecutive slots.
static void attend_block(const attention *a, int64_t head, int64_t last, int64_t part, const char *k, const char *v,
                         int64_t n) {
    const int64_t head_dim = a->head_dim;
    float scores[4 * BLOCK], scales[4];
    for (const head_group *g = GROUPS[a->type]; head < last; head += g->heads) {
        while (g->heads > last - head) g++;
        g->score(scores, a->q + head * head_dim, k, v, head_dim, n);
        for (int h = 0; h < g->heads; h++) {
            scales[h] = weigh(scores + h * BLOCK, n, partial_of(a, head + h, part), a->softcap);
        }
        g->value(partial_of(a, head, part)->values, partial_floats(head_dim), scales, scores, v,
                 k + n * head_dim * bytes_of(a->type), head_dim, n);
    }
}

// All query heads of KV head g against positions [from, to) of the ring, in blocks that do not cross its end.
static void attend_range(const attention *a, int64_t g, int64_t part, int64_t from, int64_t to) {
    const int64_t per_kv = a->heads / a->kv_heads, first = g * per_kv, last = first + per_kv;
    for (int64_t h = first; h < last; h++) {
        partial *p = partial_of(a, h, part);
        p->max = -INFINITY;
        p->sum = 0;
        memset(p->values, 0, (size_t)a->head_dim * sizeof(float));
    }
    for (int64_t j = from, n; j < to; j += n) {
        int64_t slot = (a->first_slot + j) % a->slots;
        n = to - j < BLOCK ? to - j : BLOCK;
        n = a->slots - slot < n ? a->slots - slot : n;
        const int64_t at = (g * a->slots + slot) * a->head_dim * bytes_of(a->type);
        attend_block(a, first, last, part, a->k + at, a->v + at, n);
    }
}

// out[head] = the parts' values, each rescaled from its own maximum to the common one, over their common sum
static void merge(const attention *a, float *out, int64_t head) {
    float max = -INFINITY, total = 0;
    for (int64_t part = 0; part < a->parts; part++) max = fmaxf(max, partial_of(a, head, part)->max);
    memset(out, 0, (size_t)a->head_dim * sizeof *out);
    for (int64_t part = 0; part < a->parts; part++) {
        const partial *p = partial_of(a, head, part);
        if (p->sum == 0) continue; // nothing visible in this part, and its maximum may be -inf
        float scale = expf(p->max - max);
        total += p->sum * scale;
        for (int64_t i = 0; i < a->head_dim; i += LANES) {
            int64_t left = a->head_dim - i;
            store_n(out + i, load_n(out + i, left) + load_n(p->values + i, left) * scale, left);
        }
    }
    float inverse = total == 0 ? 0 : 1 / total;
    for (int64_t i = 0; i < a->head_dim; i += LANES) {
        store_n(out + i, load_n(out + i, a->head_dim - i) * inverse, a->head_dim - i);
    }
}

// Thread's share of the (KV head, part) pairs, and after all are done its share of the heads.
static void attend_share(const attention *a, float *out, int thread, int threads) {
    span pairs = team_share(a->kv_heads * a->parts, 1, thread, threads);
    for (int64_t i = pairs.begin; i < pairs.end; i++) {
        int64_t part = i % a->parts;
        attend_range(a, i / a->parts, part, a->count * part / a->parts, a->count * (part + 1) / a->parts);
    }
    if (threads > 1) {
#pragma omp barrier
    }
    span heads = team_share(a->heads, 1, thread, threads);
    for (int64_t h = heads.begin; h < heads.end; h++) merge(a, out + h * a->head_dim, h);
}

// The fewest ranges per KV head that give every thread the same number of pairs, if the ranges stay long enough.
static int64_t range_count(int64_t kv_heads, int64_t count, int64_t threads) {
    int64_t a = threads, b = kv_heads;
    while (b != 0) { // Euclid
        int64_t rest = a % b;
        a = b, b = rest;
    }
    int64_t even = threads / a, most = count / MIN_RANGE;
    return even < most ? even : most > 1 ? most : 1;
}

void TIER(gemma_attend)(float *out, const float *q, const void *k, const void *v, int32_t kv_type, int64_t heads,
                        int64_t kv_heads, int64_t head_dim, int64_t slots, int64_t first_slot, int64_t count,
                        float softcap, float *scratch) {
    attention a = {q,     k,          v,     (dtype)kv_type, heads,   kv_heads, head_dim,
                   slots, first_slot, count, softcap,        scratch, 1};
    if (count == 0) {
        memset(out, 0, (size_t)(heads * head_dim) * sizeof *out);
    } else if (team_pays(count * head_dim * (heads + 8 * kv_heads) / 16)) {
        a.parts = range_count(kv_heads, count, omp_get_max_threads());
#pragma omp parallel
        attend_share(&a, out, omp_get_thread_num(), omp_get_num_threads());
    } else {
        attend_share(&a, out, 0, 1);
    }
}
