#!/usr/bin/env bash
# halfstep and PyTorch side by side on this machine: builds the program, finds the Python of its LibTorch, compares.
# Arguments go to compare.py: bench/compare/run.sh --shape fashion --rounds 3 --json compare.json
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. cmake/setup.sh

# The Python that the LibTorch found belongs to, so that both run the same kernels; else the local environment's.
find_python() {
  for python in "$TORCH_DIR"/../../../../bin/python3 "$(command -v python3)" .venv/bin/python3; do
    [ "$("$python" -c 'import os, torch; print(os.path.dirname(torch.__file__))' 2>/dev/null)" = "$TORCH_DIR" ] && return
  done
  install_torch
  python=.venv/bin/python3
  say "LibTorch in $TORCH_DIR has no Python: the peer's is that of .venv"
}

find_python
"$python" -c 'import numpy' 2>/dev/null || "$python" -m pip install --disable-pip-version-check numpy </dev/null >&2
# What torch.compile makes includes it.
"$python" -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null ||
  install_packages python3-dev

build halfstep_cli
exec "$python" bench/compare/compare.py "$@"
