#!/usr/bin/env python3
"""Fails on any #include in src/halfstep that the order of the layers does not allow.

    check_layers.py [SOURCE_DIR]

A folder may include itself and the folders named for it here; docs/architecture.md says why.
"""

import re
import sys
from pathlib import Path

# What each layer may include beside itself, from the lowest layer up.
ALLOWED = {
    "core": [],
    "diffusion": ["core"],
    "nn": ["core", "diffusion"],
    "objective": ["core", "diffusion"],
    "io": ["core"],
    "data": ["core", "io"],
    "checkpoint": ["core", "io"],
    "model": ["core", "diffusion", "nn", "io"],
    "convert": ["core", "diffusion", "nn", "io", "model"],
    "parallel": ["core", "nn", "model"],
    "train": ["core", "diffusion", "nn", "objective", "io", "data", "checkpoint", "model",
              "parallel"],
    "metrics": ["core", "diffusion", "nn", "io", "data", "model", "parallel"],
    "report": ["core", "nn", "io", "model", "train", "metrics"],
}
# With all that they include, so that fuzzers and ThreadSanitizer need no LibTorch.
TORCH_FREE = ("io", "data", "checkpoint")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")


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
            if include.split("/")[1] not in (layer, *ALLOWED[layer]):
                problems.append(f"{name}: {layer} must not include {include}")
            if include not in includes:
                problems.append(f"{name}: there is no {include}")
        if layer in TORCH_FREE:
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
