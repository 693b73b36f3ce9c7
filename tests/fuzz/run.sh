#!/usr/bin/env bash
# Builds the fuzz preset and runs all fuzzers, or the named ones, for SECONDS_EACH (60) seconds each.
# Stops at the first finding and writes its input to build/fuzz/findings. Add the input to corpus/ when
# the bug is fixed.
#
#   tests/fuzz/run.sh [TARGET...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export CC=${CC:-clang-14} CXX=${CXX:-clang++-14}
cmake --preset fuzz --log-level=WARNING
cmake --build --preset fuzz
[ $# -gt 0 ] || set -- $(cd tests/fuzz/corpus && ls)
mkdir -p build/fuzz/findings
for target in "$@"; do
  echo "== $target"
  mkdir -p "build/fuzz/corpus/$target"
  # Limits per input: 256 MB per allocation (the largest image has 192 MB), 1 GB in total, 10 seconds.
  "build/fuzz/bin/fuzz_$target" -max_total_time="${SECONDS_EACH:-60}" -timeout=10 -malloc_limit_mb=256 -rss_limit_mb=1024 \
    -max_len=32768 -print_final_stats=1 -verbosity=0 -artifact_prefix="build/fuzz/findings/$target-" \
    "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target"
done
