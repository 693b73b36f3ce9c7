#!/usr/bin/env python3
"""Fails on every #include in src/halfstep that crosses the layers in a way that ALLOWED does not list.

    check_layers.py [SOURCE_DIR]

docs/architecture.md describes the layers.
"""

import re
from pathlib import Path

import command

# The layers that each layer may include besides itself, from the lowest layer up.
ALLOWED = {
    "core": [],
    "diffusion": ["core"],
    "device": ["core"],
    "conditioning": ["core", "diffusion"],
    "nn": ["core", "diffusion"],
    "objective": ["core", "diffusion"],
    "io": ["core"],
    "data": ["core", "io"],
    "checkpoint": ["core", "io"],
    "model": ["core", "diffusion", "device", "conditioning", "nn", "io"],
    "convert": ["core", "diffusion", "conditioning", "nn", "io", "model"],
    "parallel": ["core", "nn", "model"],
    "train": ["core", "diffusion", "device", "conditioning", "nn", "objective", "io", "data",
              "checkpoint", "model", "parallel"],
    "metrics": ["core", "diffusion", "conditioning", "nn", "io", "data", "model", "parallel",
                "train"],
    "http": ["core", "io"],
    "serve": ["core", "diffusion", "conditioning", "nn", "io", "model", "http"],
    "report": ["core", "nn", "io", "data", "model", "train", "metrics"],
}
# These and everything that they include must not include LibTorch, so that fuzzers and ThreadSanitizer run without it.
TORCH_FREE = ("io", "data", "checkpoint", "http")

INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)
TORCH = re.compile(r"^(torch|ATen|c10|caffe2)/")


def check(source_dir):
    """Returns the list of problems, one line each."""
    root = Path(source_dir) / "src"
    includes = {
        path.relative_to(root).as_posix(): INCLUDE.findall(path.read_text())
        for path in sorted(root.glob("halfstep/**/*"))
        if path.suffix in (".h", ".cc")
    }
    problems = []

    def reaches_torch(name, seen):
        """Returns the chain of includes from `name` to a LibTorch header, or None."""
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
            problems.append(f"{name}: '{layer}' is not a layer")
            continue
        for include in included:
            if include == "torch/torch.h":
                problems.append(f"{name}: includes all of LibTorch (torch/torch.h); include the headers that it uses")
            if not include.startswith("halfstep/"):
                continue
            if include.split("/")[1] not in (layer, *ALLOWED[layer]):
                problems.append(f"{name}: {layer} must not include {include}")
            if include not in includes:
                problems.append(f"{name}: {include} does not exist")
        if layer in TORCH_FREE:
            chain = reaches_torch(name, {name})
            if chain:
                problems.append(f"{name}: {layer} must not depend on LibTorch, but: {' -> '.join(chain)}")
    return problems


if __name__ == "__main__":
    command.run(check)
