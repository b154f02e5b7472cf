#!/bin/sh
# Fuzzes the loader: cpp/fuzz/run.sh open|parse|import [libFuzzer options], such as -runs=10000000 or -jobs=4.
# `open` opens whole files and plays them, `parse` reads their parts alone, many times as fast,
# `import` does with other players' files what `open` does.
set -e
target="${1:?usage: cpp/fuzz/run.sh open|parse|import [libFuzzer options]}"
shift
cd "$(dirname "$0")/.."
build="${BUILD:-build/fuzz}"
cmake -S . -B "$build" -DCMAKE_CXX_COMPILER="${CXX:-clang++}" -DCMAKE_BUILD_TYPE=Release \
  -DFXKIT_FUZZ=ON -DFXKIT_SANITIZE="${SANITIZE-address,undefined}" >/dev/null
cmake --build "$build" --target fuzz_seeds "${target}_fuzzer"
mkdir -p "$build/corpus/$target" "$build/seeds"
"$build/fuzz/fuzz_seeds" "$build/seeds"
cp plugin/models/*.fxkit "$build/seeds/open"
exec "$build/fuzz/${target}_fuzzer" -dict=fuzz/model.dict -max_len=32768 -rss_limit_mb=2048 \
  -timeout=20 -artifact_prefix="$build/" "$@" "$build/corpus/$target" "$build/seeds/$target"
