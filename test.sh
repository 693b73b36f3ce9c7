#!/usr/bin/env bash
# Installs what is missing, builds, and runs the tests. Arguments are passed to ctest: ./test.sh -L unit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
. cmake/setup.sh
install_packages clang-format zsh fish mandoc

# Debian 12's version; others format differently.
if clang-format --version | grep -q 'version 14\.'; then
  say "checking the format of the sources"
  find src cli tests examples bench python -name '*.h' -o -name '*.cc' | xargs clang-format --dry-run -Werror
fi

TEST_PYTHON=build/test-venv/bin/python

# python_can CODE: does the system's Python or that of the tests run this?
python_can() {
  local python
  for python in python3 "$TEST_PYTHON"; do
    ! "$python" -c "$1" >/dev/null 2>&1 || return 0
  done
  return 1
}

# pip_for_test PACKAGE...: installs into build/test-venv.
pip_for_test() {
  say "pip install $* into build/test-venv, for a test"
  mkdir -p build
  { [ -x "$TEST_PYTHON" ] || (make_venv build/test-venv); } &&
    "$TEST_PYTHON" -m pip install --disable-pip-version-check -q "$@" </dev/null >&2
}

# A test reads our event files with TensorBoard's own reader.
install_tensorboard() {
  ! python_can 'import tensorboard.backend.event_processing.event_accumulator' || return 0
  pip_for_test tensorboard setuptools || say "tensorboard is not available: its test will be skipped"
}

# A test samples from exported folders with diffusers. If the LibTorch of the build is a Python package, diffusers uses it
# through a .pth file instead of downloading its own.
install_diffusers() {
  ! python_can 'import torch, diffusers' || return 0
  pip_for_test diffusers && dirname "$TORCH_DIR" >"$(echo build/test-venv/lib/python3*/site-packages)/torch.pth" &&
    python_can 'import torch, diffusers' ||
    say "diffusers or its torch ($TORCH_DIR) is not available: the test will be skipped"
}

# A test runs exported models with ONNX Runtime.
install_onnxruntime() {
  ! python_can 'import onnx, onnxruntime, PIL' || return 0
  pip_for_test onnx onnxruntime pillow || say "onnxruntime is not available: its test will be skipped"
}

# A test uses the server's page in Chromium.
install_chromium() {
  install_packages chromium chromium-driver || say "chromium is not available: its test will be skipped"
}

# Tests of the Python package run a notebook with matplotlib, show progress with tqdm and check the sources with ruff and mypy.
install_python_checks() {
  ! python_can 'import torch, matplotlib, tqdm, ruff, mypy' || return 0
  pip_for_test matplotlib tqdm ruff mypy || say "matplotlib, tqdm, ruff or mypy is not available: their tests will be skipped"
}
install_tensorboard
install_diffusers
install_onnxruntime
install_chromium
install_python_checks

CONFIGURE_FLAGS=(-D HALFSTEP_UNITY_TESTS=ON)
# The Python package is for the Python that the LibTorch belongs to, and needs its headers.
torch_python=$TORCH_DIR/../../../../bin/python3
has_headers() {
  "$torch_python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null
}
if [ ! -e "$TORCH_DIR/lib/libtorch_python.so" ] || [ ! -x "$torch_python" ]; then
  say "no Python has this LibTorch: the Python package will not be built"
else
  has_headers || install_packages python3-dev
  CONFIGURE_FLAGS+=(-D HALFSTEP_BUILD_PYTHON="$(has_headers && echo ON || echo OFF)")
fi
build
say "running the tests"
ctest --preset release --parallel "$(nproc)" "$@" </dev/null
say "all passed; the program is build/release/bin/halfstep"
