#!/bin/sh
# Fuzzes the loader: cpp/fuzz/run.sh [libFuzzer options], such as -runs=10000000 or -jobs=4.
set -e
cd "$(dirname "$0")/.."
cmake -S . -B build/fuzz -DCMAKE_CXX_COMPILER="${CXX:-clang++}" -DCMAKE_BUILD_TYPE=Release \
  -DFXKIT_FUZZ=ON -DFXKIT_SANITIZE="${SANITIZE-address,undefined}" >/dev/null
cmake --build build/fuzz --target fuzz_seeds open_fuzzer
mkdir -p build/fuzz/corpus build/fuzz/seeds
build/fuzz/fuzz/fuzz_seeds build/fuzz/seeds
exec build/fuzz/fuzz/open_fuzzer -dict=fuzz/model.dict -max_len=16384 -rss_limit_mb=2048 \
  -timeout=20 "$@" build/fuzz/corpus build/fuzz/seeds
