#!/usr/bin/env bash
# Builds the C shim, target/native/native/<platform>/libgemma_kernels.so, when a source is newer than it.
set -euo pipefail
case "$0" in */*) cd "${0%/*}" ;; esac

usage() {
    cat <<'TEXT'
usage: ./build-native.sh [--force | --test | --asan | --bench [ARGUMENT...] | --bench-matmul [ARGUMENT...] | --bindings | --help]

  (nothing)    build the shim if a source is newer than it; with nothing to do it is silent and takes milliseconds
  --force      build it in any case
  --test       the shim's C unit tests (native/test), on every ISA tier of this CPU
  --asan       the same, everything built with AddressSanitizer and UndefinedBehaviorSanitizer
  --bench      the shim's micro-benchmark (native/test/bench.c), arguments passed on
  --bench-matmul  the same for block-quantized weights (native/test/matmul_bench.c)
  --bindings   generate bindings/ again from the C headers

Needs a C compiler with OpenMP: $CC, else cc, gcc or clang, whichever is found first.
To build for another machine: LAPIDARY_PLATFORM=linux-arm64 CC=aarch64-linux-gnu-gcc ./build-native.sh
TEXT
}

fail() {
    echo "build-native.sh: $*" >&2
    exit 1
}

# The platform as the native jars name it. Shell variables instead of uname: nothing to start when nothing is to be done.
host_platform() {
    local os arch
    case "$OSTYPE" in
        linux*) os=linux ;;
        darwin*) os=macosx ;;
        *) fail "operating system: got $OSTYPE, need Linux or macOS" ;;
    esac
    case "$HOSTTYPE" in
        x86_64 | amd64) arch=x86_64 ;;
        aarch64 | arm64) arch=arm64 ;;
        *) arch=$HOSTTYPE ;;
    esac
    platform=$os-$arch
}
platform=${LAPIDARY_PLATFORM:-}
[ -n "$platform" ] || host_platform
case "$platform" in
    macosx-*) library=libgemma_kernels.dylib ;;
    *) library=libgemma_kernels.so ;;
esac
output=target/native/native/$platform/$library

# ---- compiler ----------------------------------------------------------------------------------------------------------

# Sets `compiler` and `openmp`, the flags that turn OpenMP on.
find_compiler() {
    local candidate
    compiler=
    for candidate in ${CC:+"$CC"} cc gcc clang; do
        if command -v "$candidate" >/dev/null 2>&1; then
            compiler=$candidate
            break
        fi
    done
    [ -n "$compiler" ] || fail "no C compiler found (tried ${CC:+$CC, }cc, gcc, clang): install one, e.g. apt-get install gcc libc6-dev"

    echo '#include <omp.h>
int main(void) { return omp_get_max_threads() < 1; }' >"$work/openmp.c"
    for openmp in "-fopenmp" "-Xpreprocessor -fopenmp -lomp"; do
        # shellcheck disable=SC2086  # several flags in one variable
        if "$compiler" $openmp "$work/openmp.c" -o "$work/openmp" 2>"$work/openmp.log"; then return; fi
    done
    fail "$compiler cannot compile and link C with OpenMP: install its headers and libgomp (or libomp for clang), or set CC to one that can; it said: $(head -n 1 "$work/openmp.log")"
}

# ---- library -----------------------------------------------------------------------------------------------------------

# Compiled once per ISA tier; the rest of native/*.c once.
tiered="add add_scaled_rows attend attend_wide bias block_diagonal causal_conv convert embed geglu gemv gguf_blocks
    head_norm_rope layer_norm match_magnitude multiply pack rg_lru rms_norm scale softcap softcap_softmax sparsify
    unpack wide"
matmuls="block_matmul matmul quantize" # once per kind of dot product of bytes
tiles="attend_tiles tiles" # once with matrix instructions and once without
common="attend_scratch ceilings dispatch packed_bytes pages product_bytes rope_table team"

# -ffp-contract=fast: a * b + c is one FMA where there is one. -Wno-psabi: vectors are only passed between inlined functions.
flags="-std=gnu11 -O3 -fPIC -fvisibility=hidden -ffp-contract=fast -fno-math-errno -Wall -Wextra -Werror -Wno-psabi
    -DGEMMA_KERNELS_BUILD -Inative"

tier_flags() {
    case "$1" in
        portable) ;;
        avx2) echo -mavx2 -mfma -mf16c ;;
        avx2_vnni) echo -mavxvnni -mavx2 -mfma -mf16c ;;
        avx512_amx) echo -mamx-tile -mamx-bf16 -mavx512bf16 "$(tier_flags avx512)" ;;
        avx512_vnni) echo -mavx512vnni "$(tier_flags avx512)" ;;
        avx512) echo -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx2 -mfma -mf16c -mprefer-vector-width=512 ;;
    esac
}

compile_tier() { # TIER EXTRA_FLAGS
    local kernel kernels
    case "$1" in
        portable) kernels="$tiered $matmuls $tiles" ;;
        avx2) kernels="$tiered $matmuls" ;;
        *_amx) kernels=$tiles ;;
        *_vnni) kernels=$matmuls ;;
        *) kernels=$tiered ;;
    esac
    for kernel in $kernels; do
        # shellcheck disable=SC2046,SC2086
        "$compiler" $flags $openmp $(tier_flags "$1") $2 "-DGEMMA_TIER=$1" -c "native/$kernel.c" -o "$work/$kernel.$1.o" || return 1
    done
}

build_library() { # OUTPUT EXTRA_FLAGS
    local tiers=portable tier jobs="" job file
    [ "${platform#*-}" != x86_64 ] || tiers="portable avx2 avx2_vnni avx512 avx512_vnni avx512_amx"
    for tier in $tiers; do
        compile_tier "$tier" "$2" &
        jobs="$jobs $!"
    done
    for file in $common; do
        # shellcheck disable=SC2086
        "$compiler" $flags $openmp $2 -c "native/$file.c" -o "$work/$file.o"
    done
    for job in $jobs; do wait "$job" || fail "the shim does not compile with $compiler"; done

    mkdir -p "${1%/*}"
    # shellcheck disable=SC2086
    "$compiler" -shared $openmp $2 "$work"/*.o -lm -lpthread -o "$1.new.$$"
    mv -f "$1.new.$$" "$1" # at once, so that nobody loads half a library
}

stale() {
    local source
    [ -e "$output" ] || return 0
    for source in native/*.c native/*.h build-native.sh; do
        [ "$source" -nt "$output" ] && return 0
    done
    return 1
}

make_work_folder() {
    mkdir -p target
    work=$(mktemp -d target/native-build.XXXXXX)
    trap 'rm -rf "$work"' EXIT
    find_compiler
}

build() {
    make_work_folder
    echo "building $output with $compiler" >&2
    build_library "$output" ""
    rm -rf "$work"
}

# ---- tests -------------------------------------------------------------------------------------------------------------

build_program() { # PROGRAM LIBRARY EXTRA_FLAGS SOURCES
    # shellcheck disable=SC2086
    "$compiler" $flags -O2 $openmp $3 $4 "$2" "-Wl,-rpath,$PWD/${2%/*}" -lm -lpthread -o "$work/$1"
}

run_program() { # PROGRAM ARGUMENT...; RUNNER: an emulator, for another machine's program
    local program=$1
    shift
    # Leaks: the shim allocates nothing, but clang's OpenMP keeps its team until the end.
    ASAN_OPTIONS=${ASAN_OPTIONS-detect_leaks=0} ${RUNNER:-} "$work/$program" "$@"
}

unit_tests() { # EXTRA_FLAGS
    make_work_folder
    echo "testing with $compiler $1" >&2
    build_library "$work/lib/$library" "$1"
    build_program test "$work/lib/$library" "$1" "$(echo native/test/*_test.c native/test/check.c native/test/quantized.c)"
    run_program test
    OMP_THREAD_LIMIT=1 run_program test team # OpenBLAS's jobs when the team cannot grow
}

# ---- bindings ----------------------------------------------------------------------------------------------------------

bindings() {
    exec bindings/generate.sh
}

case "${1:-}" in
    "") if stale; then build; fi ;;
    --force) build ;;
    --test) unit_tests "" ;;
    --asan) unit_tests "-g -O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" ;;
    --bench | --bench-matmul)
        program=${1#--bench}
        program=${program:+matmul_}bench
        shift
        make_work_folder
        build_library "$work/lib/$library" ""
        build_program "$program" "$work/lib/$library" "" "native/test/$program.c"
        run_program "$program" "$@"
        ;;
    --bindings) bindings ;;
    --help | -h) usage ;;
    *) usage >&2; fail "$1: no such option" ;;
esac
