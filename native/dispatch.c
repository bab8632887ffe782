// dispatch: which tier's kernels run. The tier is picked once, when the library is loaded, and can be lowered by name.
#include "gemma_kernels.h"

#include <stdatomic.h>
#include <string.h>

// One tier: a pointer for each kernel of the list.
typedef struct {
#define KERNEL(name, parameters, arguments) void(*name) parameters;
#include "kernel_list.h"
#undef KERNEL
} kernel_table;

#define KERNEL(name, parameters, arguments) void name##_portable parameters;
#include "kernel_list.h"
#undef KERNEL
static const kernel_table portable_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_portable,
#include "kernel_list.h"
#undef KERNEL
};
static int always(void) { return 1; }

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define KERNEL(name, parameters, arguments) void name##_avx2 parameters;
#define TILE_KERNEL(name, parameters, arguments)
#include "kernel_list.h"
#undef KERNEL
static const kernel_table avx2_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_avx2,
#define TILE_KERNEL(name, parameters, arguments) .name = name##_portable,
#include "kernel_list.h"
#undef KERNEL
};

#define KERNEL(name, parameters, arguments)
#define VNNI_KERNEL(name, parameters, arguments) void name##_avx2_vnni parameters;
#define TILE_KERNEL(name, parameters, arguments)
#include "kernel_list.h"
#undef KERNEL
static const kernel_table avx2_vnni_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_avx2,
#define VNNI_KERNEL(name, parameters, arguments) .name = name##_avx2_vnni,
#define TILE_KERNEL(name, parameters, arguments) .name = name##_portable,
#include "kernel_list.h"
#undef KERNEL
};

// AVX-512 without VNNI, of the first CPUs, has nothing for bytes that AVX2 has not.
#define KERNEL(name, parameters, arguments) void name##_avx512 parameters;
#define VNNI_KERNEL(name, parameters, arguments)
#define TILE_KERNEL(name, parameters, arguments)
#include "kernel_list.h"
#undef KERNEL
static const kernel_table avx512_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_avx512,
#define VNNI_KERNEL(name, parameters, arguments) .name = name##_avx2,
#define TILE_KERNEL(name, parameters, arguments) .name = name##_portable,
#include "kernel_list.h"
#undef KERNEL
};

#define KERNEL(name, parameters, arguments)
#define VNNI_KERNEL(name, parameters, arguments) void name##_avx512_vnni parameters;
#define TILE_KERNEL(name, parameters, arguments)
#include "kernel_list.h"
#undef KERNEL
static const kernel_table avx512_vnni_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_avx512,
#define VNNI_KERNEL(name, parameters, arguments) .name = name##_avx512_vnni,
#define TILE_KERNEL(name, parameters, arguments) .name = name##_portable,
#include "kernel_list.h"
#undef KERNEL
};

#define KERNEL(name, parameters, arguments)
#define VNNI_KERNEL(name, parameters, arguments)
#define TILE_KERNEL(name, parameters, arguments) void name##_avx512_amx parameters;
#include "kernel_list.h"
#undef KERNEL
static const kernel_table avx512_amx_kernels = {
#define KERNEL(name, parameters, arguments) .name = name##_avx512,
#define VNNI_KERNEL(name, parameters, arguments) .name = name##_avx512_vnni,
#define TILE_KERNEL(name, parameters, arguments) .name = name##_avx512_amx,
#include "kernel_list.h"
#undef KERNEL
};

// __builtin_cpu_supports also asks the OS (XGETBV) whether it saves the wide registers; it knows no "f16c" in every
// compiler.
static int has_avx2(void) {
    unsigned eax, ebx, ecx = 0, edx;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __get_cpuid(1, &eax, &ebx, &ecx, &edx) &&
           (ecx & bit_F16C);
}

static int has_avx2_vnni(void) {
    unsigned eax, ebx, ecx, edx;
    return has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax & 1u << 4); // AVX-VNNI
}

static int has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

static int has_avx512_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

static int has_avx512_bf16(void) { return has_avx512_vnni() && __builtin_cpu_supports("avx512bf16"); }

// Linux gives a process the tiles' registers when it asks for them.
static int has_avx512_amx(void) {
#if defined(__linux__)
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18, BF16_TILES = 1 << 22, TILES = 1 << 24 };
    unsigned eax, ebx, ecx, edx;
    return has_avx512_bf16() && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (edx & TILES) &&
           (edx & BF16_TILES) && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return 0;
#endif
}
#else
// The names stay known everywhere, so that a cap means the same on every machine.
#define avx2_kernels portable_kernels
#define avx2_vnni_kernels portable_kernels
#define avx512_kernels portable_kernels
#define avx512_vnni_kernels portable_kernels
#define avx512_amx_kernels portable_kernels
static int has_avx2(void) { return 0; }
static int has_avx2_vnni(void) { return 0; }
static int has_avx512(void) { return 0; }
static int has_avx512_vnni(void) { return 0; }
static int has_avx512_bf16(void) { return 0; }
static int has_avx512_amx(void) { return 0; }
#endif

typedef struct {
    const char *name;
    int (*supported)(void);
    const kernel_table *kernels;
} tier;

// From the lowest to the highest. avx512-bf16 has no kernels of its own: vdpbf16ps rounds the activations to bf16, and
// at one row the plain FMA already waits for memory. The name tells the caller that a bf16 GEMM is native here; all
// such CPUs have VNNI.
static const tier TIERS[] = {
    {"portable", always, &portable_kernels},
    {"avx2", has_avx2, &avx2_kernels},
    {"avx2-vnni", has_avx2_vnni, &avx2_vnni_kernels},
    {"avx512", has_avx512, &avx512_kernels},
    {"avx512-vnni", has_avx512_vnni, &avx512_vnni_kernels},
    {"avx512-bf16", has_avx512_bf16, &avx512_vnni_kernels},
    {"avx512-amx", has_avx512_amx, &avx512_amx_kernels},
};
enum { TIER_COUNT = sizeof TIERS / sizeof *TIERS };

static const tier *_Atomic active = &TIERS[0];

static void select_tier(int highest) {
#if defined(__x86_64__)
    __builtin_cpu_init();
#endif
    while (!TIERS[highest].supported()) highest--;
    atomic_store_explicit(&active, &TIERS[highest], memory_order_relaxed);
}

__attribute__((constructor)) static void select_at_load(void) { select_tier(TIER_COUNT - 1); }

int32_t gemma_kernels_abi(void) { return GEMMA_KERNELS_ABI; }

const char *gemma_isa(void) { return atomic_load_explicit(&active, memory_order_relaxed)->name; }

int32_t gemma_limit_isa(const char *name) {
    for (int i = 0; i < TIER_COUNT; i++) {
        if (strcmp(name, TIERS[i].name) == 0) {
            select_tier(i);
            return 0;
        }
    }
    return -1;
}

#define KERNEL(name, parameters, arguments)                                                                            \
    void name parameters { atomic_load_explicit(&active, memory_order_relaxed)->kernels->name arguments; }
#include "kernel_list.h"
#undef KERNEL
