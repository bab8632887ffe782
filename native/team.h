// team.h: how a kernel uses the OpenMP team. One parallel region at most per call, the outermost loop in contiguous
// equal shares, and no region at all when the work is smaller than what waking the team costs.
#ifndef GEMMA_TEAM_H
#define GEMMA_TEAM_H

#include <omp.h>
#include <stdint.h>

// Work below which a second thread does not pay, in units of about a nanosecond of one thread. A region costs 1 to 2 us
// when the team spins (test/bench.c measures it) and half the work is saved at best.
#define TEAM_BREAK_EVEN 4000

typedef struct {
    int64_t begin, end;
} span;

// Thread `thread`'s part of [0, count), in multiples of `grain` (the last part takes the rest).
static inline span team_share(int64_t count, int64_t grain, int thread, int threads) {
    int64_t grains = (count + grain - 1) / grain;
    int64_t from = grains * thread / threads * grain, to = grains * (thread + 1) / threads * grain;
    return (span){from < count ? from : count, to < count ? to : count};
}

static inline int team_pays(int64_t work) { return work >= TEAM_BREAK_EVEN && omp_get_max_threads() > 1; }

// Runs the statement for the whole of [0, count), or on every thread for that thread's share; it sees the bounds as
// `from` and `to`. `work`: nanoseconds, roughly.
#define TEAM_SPLIT(count, grain, work, from, to, ...)                                                                  \
    do {                                                                                                               \
        if (team_pays(work)) {                                                                                         \
            _Pragma("omp parallel") {                                                                                  \
                span share_ = team_share(count, grain, omp_get_thread_num(), omp_get_num_threads());                   \
                int64_t from = share_.begin, to = share_.end;                                                          \
                __VA_ARGS__;                                                                                           \
            }                                                                                                          \
        } else {                                                                                                       \
            int64_t from = 0, to = count;                                                                              \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

// The next part of [*next, count) for a thread that has nothing to do: large parts first and small ones at the end, in
// multiples of `grain`, so that all threads end together however fast each of them is at the moment. Empty at the end.
static inline span team_take(int64_t *next, int64_t count, int64_t grain, int threads) {
    int64_t from = __atomic_load_n(next, __ATOMIC_RELAXED), to;
    do {
        int64_t left = count - from, part = left / (2 * threads) / grain * grain;
        if (part < grain) part = grain;
        if (left <= 0) return (span){count, count};
        to = part < left ? from + part : count;
    } while (!__atomic_compare_exchange_n(next, &from, to, 1, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
    return (span){from, to};
}

// As TEAM_SPLIT, for work that the threads take part by part: the statement may run many times on each.
#define TEAM_TAKE(count, grain, work, from, to, ...)                                                                   \
    do {                                                                                                               \
        if (team_pays(work)) {                                                                                         \
            int64_t next_ = 0;                                                                                         \
            _Pragma("omp parallel") {                                                                                  \
                const int threads_ = omp_get_num_threads();                                                            \
                for (span part_ = team_take(&next_, count, grain, threads_); part_.begin < part_.end;                  \
                     part_ = team_take(&next_, count, grain, threads_)) {                                              \
                    int64_t from = part_.begin, to = part_.end;                                                        \
                    __VA_ARGS__;                                                                                       \
                }                                                                                                      \
            }                                                                                                          \
        } else {                                                                                                       \
            int64_t from = 0, to = count;                                                                              \
            __VA_ARGS__;                                                                                               \
        }                                                                                                              \
    } while (0)

// Runs the statement for each i of [0, count), the threads sharing them out.
#define TEAM_EACH(count, work, i, ...)                                                                                 \
    TEAM_SPLIT(                                                                                                        \
        count, 1, work, from_, to_, for (int64_t i = from_; i < to_; i++) { __VA_ARGS__; })

// The same for kernels that work element by element on [rows, cols]: splits rows and, so that one long row is shared
// too, columns. The statement sees a row `r` and `n` columns from `c` on.
#define TEAM_PIECE 2048
#define TEAM_ELEMENTS(rows, cols, work, r, c, n, ...)                                                                  \
    do {                                                                                                               \
        int64_t pieces_ = ((cols) + TEAM_PIECE - 1) / TEAM_PIECE;                                                      \
        TEAM_EACH((rows)*pieces_, work, piece_, int64_t r = piece_ / pieces_;                                          \
                  int64_t c = piece_ % pieces_ * TEAM_PIECE;                                                           \
                  int64_t n = (cols)-c < TEAM_PIECE ? (cols)-c : TEAM_PIECE; __VA_ARGS__);                             \
    } while (0)

#endif
