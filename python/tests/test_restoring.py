"""The models that come with halfstep restore test images of Fashion-MNIST."""

import sys
import unittest

import torch
from support import MODELS, SOURCE
from torch.nn import functional as F

import halfstep

sys.path.insert(0, str(SOURCE / "bench/restoration"))
sys.path.insert(0, str(SOURCE / "examples/python"))
from common import FOLDER, psnr
from seams import crops, read_images, seam_ratio

SEEDS = range(64)


@unittest.skipUnless(FOLDER.exists(), "needs Debian's package dataset-fashion-mnist")
class Restored(unittest.TestCase):
    def test_super_resolution_is_closer_than_interpolation(self):
        images = read_images()[: len(SEEDS)]
        small = F.avg_pool2d(images.float(), 2)
        bicubic = F.interpolate(small, scale_factor=2, mode="bicubic").clamp(0, 255)
        model = halfstep.load(MODELS / "fashion-super-resolution")
        restored = model.sample(SEEDS, input=images, degrade=True)
        self.assertGreater(psnr(restored, images), psnr(bicubic, images) + 1)

    def test_inpainting_is_closer_than_the_mean_and_keeps_what_is_known(self):
        images = read_images()[: len(SEEDS)]
        mask = torch.zeros(1, 1, 28, 28, dtype=torch.uint8)
        mask[..., 8:20, 8:20] = 255
        missing = (mask == 255).expand_as(images)
        model = halfstep.load(MODELS / "fashion-inpainting")
        restored = model.sample(SEEDS, input=images, mask=mask)
        self.assertTrue(torch.equal(restored[~missing], images[~missing]))
        mean = images.float().masked_fill(missing, 0).sum(dim=(1, 2, 3)) / (28 * 28 - 12 * 12)
        mean = mean[:, None, None, None].expand_as(images)
        self.assertGreater(
            psnr(restored[missing], images[missing]), psnr(mean[missing], images[missing]) + 1
        )

    def test_tiles_have_no_seams(self):
        images = crops(32, 42)
        model = halfstep.load(MODELS / "fashion-super-resolution")
        restored = model.sample(range(32), input=images, degrade=True)
        ratios = [seam_ratio(restored, 28), seam_ratio(images, 28)]
        self.assertLess(abs(ratios[0] / ratios[1] - 1), 0.1, ratios)
        # The measure sees a seam: a step of 30 levels at the border of a tile.
        broken = restored.int()
        broken[..., 14:] += 30
        self.assertGreater(seam_ratio(broken, 28), ratios[0] * 1.1)


if __name__ == "__main__":
    unittest.main()
