"""Writes what restored images are compared with, as models that `halfstep evaluate` takes.

    python bench/restoration/baselines.py --model MODEL.safetensors --to BASELINE.pt
    halfstep evaluate --samples BASELINE.pt --steps 1 ...

For a model of super-resolution, the baseline is bicubic interpolation; for one of inpainting, the
mean of the known pixels. Neither is a network, but both predict x from the condition alone.
"""

import argparse
import json
import struct
from pathlib import Path

import torch
from torch import nn


class Interpolation(nn.Module):
    """Returns the images of low resolution as the condition has them: enlarged."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))  # halfstep takes no network without a parameter

    def forward(self, z, logsnr, condition):
        return self.one * condition


class MeanFilling(nn.Module):
    """Fills in the mean of the known pixels of an image, channel by channel."""

    def __init__(self):
        super().__init__()
        self.one = nn.Parameter(torch.ones(1))

    def forward(self, z, logsnr, condition):
        pixels, known = condition[:, :-1], condition[:, -1:]
        count = known.sum(dim=[2, 3], keepdim=True).clamp(min=1)
        mean = (pixels * known).sum(dim=[2, 3], keepdim=True) / count
        return self.one * torch.where(known > 0, pixels, mean)


def spec_of(path):
    """Returns the ModelSpec in a model file (docs/formats.md)."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        return json.loads(json.loads(file.read(size))["__metadata__"]["halfstep"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, required=True, help="a model that restores images")
    parser.add_argument("--to", type=Path, required=True, help="the .pt file to write")
    options = parser.parse_args()

    spec = spec_of(options.model)
    network = spec["network"]
    side, channels = network["image_size"], network["in_channels"]
    condition = spec["condition"]
    if condition == "colour":
        parser.error(f"expected a model of super-resolution or inpainting, received {condition}")
    module = MeanFilling() if condition == "inpainting" else Interpolation()
    baseline = {
        "version": 1,
        "output": "x",
        "schedule": spec["schedule"],
        "condition": condition,
        "network": {
            "type": "torchscript",
            "shape": [channels, side, side],
            "out_channels": channels,
            "images": True,
            "num_classes": 0,
            "condition_ch": network["condition_ch"],
        },
    }
    files = {"halfstep.json": json.dumps(baseline)}
    torch.jit.save(torch.jit.script(module.eval()), options.to, _extra_files=files)


if __name__ == "__main__":
    main()
