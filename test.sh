#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments go to ctest: ./test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh
install_packages clang-format

build
say "running the tests"
ctest --preset release --parallel "$(nproc)" "$@" </dev/null

# Other versions of clang-format lay out differently; this is Debian 12's.
if clang-format --version | grep -q 'version 14\.'; then
  say "checking the layout of the sources"
  find src cli tests examples bench -name '*.h' -o -name '*.cc' | xargs clang-format --dry-run -Werror
fi
say "all passed; the program is build/release/bin/halfstep"
