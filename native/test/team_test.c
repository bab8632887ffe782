// team_test: the names of the tiers, the size of the team, OpenBLAS's jobs, which must all run at the same time, and
// pages.
#include "check.h"

#include <stdatomic.h>
#include <string.h>

enum { MOST_JOBS = 9 };

typedef struct {
    int index, seen; // each job writes its own
    int padding[14]; // jobs are jobdata_size apart, not sizeof(int)
} job;

static atomic_int arrived, waited_for;

// Waits for all the others, as OpenBLAS's level-3 jobs do: hangs unless each has a running thread.
static void meet(int thread_num, void *data, int dojob_data) {
    job *own = data;
    own->index = thread_num;
    own->seen = dojob_data;
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < atomic_load(&waited_for)) {}
}

static void openblas_case(int count) {
    job jobs[MOST_JOBS];
    begin_case((uint64_t)count, "%d jobs", count);
    memset(jobs, 0, sizeof jobs);
    atomic_store(&arrived, 0);
    atomic_store(&waited_for, count);
    gemma_openblas_threads(1, meet, count, sizeof(job), jobs, 42);
    for (int i = 0; i < MOST_JOBS; i++) {
        expect("openblas_threads, thread_num", i, 0, jobs[i].index, i < count ? i : 0, 0);
        expect("openblas_threads, dojob_data", i, 0, jobs[i].seen, i < count ? 42 : 0, 0);
    }
}

static void pages_case(void) {
    const int64_t bytes = 2 * GEMMA_HUGE_PAGES_FROM + 1;
    char *pages = gemma_map_pages(bytes);
    begin_case(0, "%lld bytes", (long long)bytes);
    expect_true(pages != NULL && pages[0] == 0 && pages[bytes - 1] == 0, "pages are there and zero");
    pages[0] = pages[bytes - 1] = 1;
    expect_true(gemma_unmap_pages(pages + 1, bytes) == -1, "what was not mapped cannot be given back");
    expect_true(gemma_unmap_pages(pages, bytes) == 0, "pages are given back");
}

void team_tests(void) {
    const char *isa = gemma_isa();
    int32_t threads = gemma_probe_threads();
    for (int count = 1; count <= MOST_JOBS; count++) openblas_case(count);
    pages_case();
    begin_case(0, "team");
    expect_true(gemma_probe_threads() == threads, "the team's size changed");
    expect_true(gemma_kernels_abi() == GEMMA_KERNELS_ABI, "ABI of the library differs from the header's");
    expect_true(gemma_limit_isa("avx1024") == -1 && strcmp(gemma_isa(), isa) == 0,
                "an unknown tier must change nothing");
    expect_true(gemma_limit_isa("portable") == 0 && strcmp(gemma_isa(), "portable") == 0, "portable is everywhere");
    expect_true(gemma_limit_isa(isa) == 0 && strcmp(gemma_isa(), isa) == 0, "a tier can be chosen again");
}
