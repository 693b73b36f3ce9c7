"""What the examples share: Fashion-MNIST in memory, and how close two sets of images are."""

import gzip
import math
from pathlib import Path

import torch

FOLDER = Path("/usr/share/datasets/fashion-mnist")  # of Debian's package dataset-fashion-mnist


def read_idx(name, header):
    """Returns the bytes of a file of Fashion-MNIST after its header."""
    data = gzip.decompress((FOLDER / name).read_bytes())
    return torch.frombuffer(bytearray(data[header:]), dtype=torch.uint8)


class Fashion(torch.utils.data.Dataset):
    """60,000 images, uint8 [1, size, size], and their classes."""

    classes = (
        "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
        "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
    )  # fmt: skip

    def __init__(self, size=28):
        self.images = read_idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
        if size != 28:
            small = torch.nn.functional.interpolate(self.images.float(), size, mode="area")
            self.images = small.round().byte()
        self.labels = read_idx("train-labels-idx1-ubyte.gz", 8).long()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index], int(self.labels[index])

    def batch(self, size, generator):
        """Returns random images in [-1, 1] and their labels."""
        index = torch.randint(len(self), (size,), generator=generator)
        return self.images[index] / 127.5 - 1, self.labels[index]


def fit(network, updates, loss_of_batch):
    """Trains a network by Adam, at a rate that falls linearly: an ordinary loop of PyTorch.

    loss_of_batch(generator) draws a batch and returns its loss.
    """
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    rate = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0.02, updates)
    for update in range(updates):
        loss = loss_of_batch(generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        if update % 100 == 0:
            print(f"training: update {update} of {updates}, loss {loss:.4f}")


def psnr(images, reference):
    """Returns the peak signal-to-noise ratio of two sets of bytes, in dB."""
    error = (images.double() - reference.double()).square().mean()
    return 10 * math.log10(255**2 / error)


def compare(teacher, student, steps, end_steps):
    """Prints how close few steps come to the teacher's many, for the same noise and classes."""
    seeds = range(64)
    reference = teacher.sample(seeds, steps=steps, sampler="ddim")
    undistilled = teacher.sample(seeds, steps=end_steps, sampler="ddim")
    distilled = student.sample(seeds, sampler="ddim")
    print(f"to the teacher's {steps} steps, over 64 images:")
    print(f"  the teacher's {end_steps} steps   {psnr(undistilled, reference):6.2f} dB")
    print(f"  the student's {end_steps} steps   {psnr(distilled, reference):6.2f} dB")
