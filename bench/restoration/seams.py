"""Measures whether images restored in tiles have seams.

    PYTHONPATH=build/release/python python bench/restoration/seams.py MODEL [--steps N] [--png FILE]

Restores images of 1.5 times the side that the model was trained for, in 2 x 2 tiles. They are cut
out of mosaics of test images of Fashion-MNIST, so that a border of the mosaic falls anywhere. A
seam would be a larger step of brightness between the two pixels at a border of a tile than between
other neighbours. Prints the mean of these steps at borders, divided by the mean elsewhere: of the
restored images and of the originals.
"""

import argparse
import sys
from pathlib import Path

import torch
from torch import nn

import halfstep

sys.path.append(str(Path(__file__).parents[2] / "examples/python"))
from common import read_idx


def read_images():
    """Returns the test images, uint8 [10000, 1, 28, 28]."""
    return read_idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)


def crops(count, side):
    """Returns uint8 [count, 1, side, side], cut out of mosaics of 3 x 3 images."""
    images = read_images()
    generator = torch.Generator().manual_seed(0)
    result = []
    for i in range(count):
        mosaic = images[9 * i : 9 * i + 9].reshape(3, 3, 28, 28).permute(0, 2, 1, 3).reshape(84, 84)
        top, left = torch.randint(84 - side + 1, (2,), generator=generator).tolist()
        result.append(mosaic[top : top + side, left : left + side])
    return torch.stack(result)[:, None]


def seam_ratio(images, tile):
    """Returns the mean step at borders of tiles divided by the mean step elsewhere."""
    side = images.shape[-1]
    at_border = torch.zeros(side - 1, dtype=torch.bool)
    for begin in range(0, side - tile + 1, tile // 2):
        for border in (begin, begin + tile):
            if 0 < border < side:
                at_border[border - 1] = True
    x = images.float()
    steps = [x.diff(dim=-1).abs(), x.diff(dim=-2).abs().transpose(-1, -2)]
    border = torch.stack([step[..., at_border].mean() for step in steps]).mean()
    elsewhere = torch.stack([step[..., ~at_border].mean() for step in steps]).mean()
    return float(border / elsewhere)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--num", type=int, default=256)
    parser.add_argument("--png", type=Path, help="write eight originals and restored images")
    options = parser.parse_args()

    model = halfstep.load(options.model)
    tile = model.spec.shape[-1]
    originals = crops(options.num, tile * 3 // 2)
    restored = model.sample(
        range(options.num), steps=options.steps, input=originals, degrade=True, batch=16
    )
    print(f"{options.num} images in 2 x 2 tiles, steps at their borders over those elsewhere:")
    print(f"  restored   {seam_ratio(restored, tile):.3f}")
    print(f"  originals  {seam_ratio(originals, tile):.3f}")
    if options.png:
        from PIL import Image

        framed = [nn.functional.pad(x[:8, 0], (0, 2, 0, 2), value=255) for x in (originals, restored)]
        rows = [torch.cat(list(images), dim=1) for images in framed]
        page = torch.cat(rows).numpy()
        Image.fromarray(page).resize((2 * page.shape[1], 2 * page.shape[0]), 0).save(options.png)


if __name__ == "__main__":
    main()
