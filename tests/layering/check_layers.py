#!/usr/bin/env python3
"""Fails on any #include in src/halfstep that the order of the layers does not allow.

    check_layers.py [SOURCE_DIR]

A folder may include itself and the folders named for it here; docs/architecture.md says why.
"""

import re
import sys
from pathlib import Path

# From the lowest layer up. "below" is every layer before it in this table.
BELOW = "below"
ALLOWED = {
    "core": [],
    "diffusion": ["core"],
    "nn": ["core", "diffusion"],
    "io": ["core"],
    "data": ["core", "io"],
    "model": BELOW,
    "parallel": BELOW,
    "train": BELOW,
    "metrics": BELOW,
    "report": BELOW,
    "serve": BELOW,
}
TORCH_FREE = ("io", "data")  # with all that they include, so that fuzzers and TSan need no LibTorch
TORCH_FREE_FILES = tuple(f"halfstep/train/{name}" for name in
                         ("checkpoint_every", "loss_spikes", "run_lock", "state_slots", "state_writer"))

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")


def allowed_layers(layer):
    layers = list(ALLOWED)
    below = ALLOWED[layer]
    return {layer, *(layers[: layers.index(layer)] if below is BELOW else below)}


def check(source_dir):
    """The list of offending edges, one line each."""
    root = Path(source_dir) / "src"
    includes = {
        path.relative_to(root).as_posix(): INCLUDE.findall(path.read_text())
        for path in sorted(root.glob("halfstep/**/*"))
        if path.suffix in (".h", ".cc")
    }
    problems = []

    def reaches_torch(name, seen):
        """The chain of includes from `name` to a LibTorch header, or None."""
        for include in includes.get(name, []):
            if TORCH.match(include):
                return [include]
            if include not in seen:
                seen.add(include)
                chain = reaches_torch(include, seen)
                if chain:
                    return [include, *chain]
        return None

    for name, included in includes.items():
        layer = name.split("/")[1]
        if layer not in ALLOWED:
            problems.append(f"{name}: no layer is called '{layer}'")
            continue
        for include in included:
            if include == "torch/torch.h":
                problems.append(f"{name}: includes all of LibTorch (torch/torch.h); name what you need")
            if not include.startswith("halfstep/"):
                continue
            if include.split("/")[1] not in allowed_layers(layer):
                problems.append(f"{name}: {layer} must not include {include}")
            if include not in includes:
                problems.append(f"{name}: there is no {include}")
        if layer in TORCH_FREE or name.startswith(TORCH_FREE_FILES):
            chain = reaches_torch(name, {name})
            if chain:
                problems.append(f"{name}: {layer} is torch-free, but: {' -> '.join(chain)}")
    return problems


def main():
    source_dir = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]
    problems = check(source_dir)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
