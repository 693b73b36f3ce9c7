#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments go to ctest: ./test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh
install_packages clang-format

# TensorBoard's own reader reads our event files in a test. It needs the package, not LibTorch's environment.
install_tensorboard() {
  local python has_it='import tensorboard.backend.event_processing.event_accumulator'
  for python in python3 build/test-venv/bin/python; do
    ! "$python" -c "$has_it" >/dev/null 2>&1 || return 0
  done
  say "pip install tensorboard into build/test-venv, for a test"
  mkdir -p build
  (make_venv build/test-venv) &&
    build/test-venv/bin/python -m pip install --disable-pip-version-check -q tensorboard setuptools </dev/null >&2 ||
    say "no tensorboard: the test that needs it will be skipped"
}
install_tensorboard

build
say "running the tests"
ctest --preset release --parallel "$(nproc)" "$@" </dev/null

# Other versions of clang-format lay out differently; this is Debian 12's.
if clang-format --version | grep -q 'version 14\.'; then
  say "checking the layout of the sources"
  find src cli tests examples bench -name '*.h' -o -name '*.cc' | xargs clang-format --dry-run -Werror
fi
say "all passed; the program is build/release/bin/halfstep"
