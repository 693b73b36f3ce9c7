#!/usr/bin/env bash
# Compares halfstep with PyTorch on this machine: builds the program, finds the Python of its LibTorch, measures.
# Passes its arguments to compare.py: bench/compare/run.sh --shape fashion --rounds 3 --json compare.json
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. cmake/setup.sh

# Finds the Python that the LibTorch belongs to, so that both run the same kernels; otherwise uses .venv.
find_python() {
  for python in "$TORCH_DIR"/../../../../bin/python3 "$(command -v python3)" .venv/bin/python3; do
    [ "$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null)" = "$TORCH_DIR" ] && return
  done
  install_torch
  python=.venv/bin/python3
  say "LibTorch in $TORCH_DIR has no Python; PyTorch runs from .venv"
}

find_python
"$python" -c 'import numpy' 2>/dev/null || "$python" -m pip install --disable-pip-version-check numpy </dev/null >&2
# torch.compile needs Python.h.
"$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
  install_packages python3-dev

build halfstep_cli
exec "$python" bench/compare/compare.py "$@"
