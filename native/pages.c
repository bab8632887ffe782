// pages: memory that costs nothing until it is touched, for caches sized by what a sequence may reach.
#define _GNU_SOURCE
#include "gemma_kernels.h"

#include <sys/mman.h>
#include <unistd.h>

void *gemma_map_pages(int64_t bytes) {
    void *pages = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) return NULL;
#ifdef MADV_HUGEPAGE
    // Fewer TLB misses where the system has huge pages to give; a refusal changes nothing.
    if (bytes >= GEMMA_HUGE_PAGES_FROM) (void)madvise(pages, (size_t)bytes, MADV_HUGEPAGE);
#endif
    return pages;
}

int32_t gemma_unmap_pages(void *pages, int64_t bytes) { return munmap(pages, (size_t)bytes); }

void gemma_release_pages(void *memory, int64_t bytes) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)memory, end = begin + (uintptr_t)bytes;
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end) (void)madvise((void *)begin, end - begin, MADV_DONTNEED); // a refusal only keeps them
}
