#!/bin/sh
# Regenerates the Java bindings beside this file: `build-native.sh --bindings` runs it.
#   oneDNN, OpenBLAS  from the headers inside the org.bytedeco jars that pom.xml names
#   shim              from native/gemma_kernels.h
# Needs jextract on the PATH or in $JEXTRACT; what is checked in was written by revision f9866df of openjdk/jextract.
# Nothing of the machine gets into it: the C library's headers are read, but only what the .args files list is written.
set -eu
cd "$(dirname "$0")/.."
jextract=${JEXTRACT:-jextract}
command -v "$jextract" >/dev/null || {
    echo "bindings: jextract not found; put it on the PATH or name it in JEXTRACT (https://jdk.java.net/jextract)" >&2
    exit 1
}

headers=target/headers
rm -rf "$headers"
mvn -q -B dependency:unpack-dependencies -DincludeGroupIds=org.bytedeco -Dmdep.unpack.includes='org/bytedeco/**/*.h' \
    -DoutputDirectory="$headers" -DmarkersDirectory="$headers/markers"
onednn=$headers/org/bytedeco/dnnl/linux-x86_64/include
openblas=$headers/org/bytedeco/openblas/linux-x86_64/include

rm -rf bindings/dev
generate() { # what it prints is warnings about declarations that are not listed, so only an error is shown
    log=target/jextract.log
    if ! "$jextract" --output bindings "$@" 2>"$log" || grep -q 'incompatible' "$log"; then
        cat "$log" >&2
        exit 1
    fi
}
generate @bindings/onednn.args -I "$onednn" "$onednn/oneapi/dnnl/dnnl.h" "$onednn/oneapi/dnnl/dnnl_debug.h"
generate @bindings/openblas.args -I "$openblas" bindings/cblas_functions.h
for name in $(grep -oE '\bgemma_[a-z0-9_]+\(' native/gemma_kernels.h | tr -d '(' | sort -u); do
    grep -q -- "--include-function $name\$" bindings/shim.args || {
        echo "bindings/shim.args: lacks $name of native/gemma_kernels.h" >&2
        exit 1
    }
done
generate @bindings/shim.args native/gemma_kernels.h
