#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments go to ctest: ./test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh
install_packages clang-format

TEST_PYTHON=build/test-venv/bin/python

# Whether the Python that is there, or that of the tests, runs this.
python_can() {
  local python
  for python in python3 "$TEST_PYTHON"; do
    ! "$python" -c "$1" >/dev/null 2>&1 || return 0
  done
  return 1
}

# pip_for_test PACKAGE...: into build/test-venv.
pip_for_test() {
  say "pip install $* into build/test-venv, for a test"
  mkdir -p build
  { [ -x "$TEST_PYTHON" ] || (make_venv build/test-venv); } &&
    "$TEST_PYTHON" -m pip install --disable-pip-version-check -q "$@" </dev/null >&2
}

# TensorBoard's own reader reads our event files in a test. It needs the package, not LibTorch's environment.
install_tensorboard() {
  ! python_can 'import tensorboard.backend.event_processing.event_accumulator' || return 0
  pip_for_test tensorboard setuptools || say "no tensorboard: the test that needs it will be skipped"
}

# diffusers itself samples from exported folders in a test. Its torch is the one that we build with, where that is a
# Python package: lent by a .pth file, not downloaded again.
install_diffusers() {
  ! python_can 'import torch, diffusers' || return 0
  pip_for_test diffusers && dirname "$TORCH_DIR" >"$(echo build/test-venv/lib/python3*/site-packages)/torch.pth" &&
    python_can 'import torch, diffusers' ||
    say "no diffusers, or no torch for this Python beside $TORCH_DIR: the test that needs them will be skipped"
}
install_tensorboard
install_diffusers

build
say "running the tests"
ctest --preset release --parallel "$(nproc)" "$@" </dev/null

# Other versions of clang-format lay out differently; this is Debian 12's.
if clang-format --version | grep -q 'version 14\.'; then
  say "checking the layout of the sources"
  find src cli tests examples bench -name '*.h' -o -name '*.cc' | xargs clang-format --dry-run -Werror
fi
say "all passed; the program is build/release/bin/halfstep"
