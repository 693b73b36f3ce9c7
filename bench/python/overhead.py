"""What an update from Python costs, against a plain PyTorch loop that does the same work.

    PYTHONPATH=build/release/python python bench/python/overhead.py [--rounds N] [--updates N]
    PYTHONPATH=build/release/python python bench/python/overhead.py --memory 2000

The work is an update of a halving: two calls of the teacher, one of the student with its gradient,
clipping, Adam. Both sides take turns in one process, and the ratio is that of the medians. --memory
makes this many updates of a small module and prints the resident memory along the way.
"""

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch

import halfstep

sys.path.append(str(Path(__file__).parents[2] / "examples/python"))
from distil_my_unet import UNet

BATCH, STEPS = 32, 4
SPEC = halfstep.Spec(shape=(1, 28, 28), output="v")


class Images(torch.utils.data.Dataset):
    """Random images, so that nothing must be read or decoded."""

    def __init__(self, count=4096):
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randint(256, (count, 1, 28, 28), generator=generator).byte()

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


def distil(network, data, updates, callback):
    with tempfile.TemporaryDirectory() as folder:
        halfstep.distill(
            network, data, spec=SPEC, method="halving", start_steps=2 * STEPS, end_steps=STEPS,
            updates_per_stage=updates, batch=BATCH, outdir=folder, grid_images=0, progress=False,
            random_flip=False, callback=callback,
        )  # fmt: skip


def seconds_of_halfstep(network, data, updates, skipped):
    """Returns the seconds of each update, without the first ones."""
    times = []

    def callback(event):
        if isinstance(event, halfstep.Update):
            times.append(time.perf_counter())

    distil(network, data, updates, callback)
    return [b - a for a, b in zip(times[skipped:], times[skipped + 1 :], strict=False)]


def seconds_of_loop(teacher, student, data, updates, skipped):
    """Returns the seconds of each update of a plain loop, without the first ones."""
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.Adam(student.parameters(), lr=1e-4)
    spacing = (math.pi / 2 - 2e-4) / STEPS

    def predict(network, z, phi):
        """Returns x and eps at z = cos(phi) x + sin(phi) eps."""
        cos, sin = phi.cos()[:, None, None, None], phi.sin()[:, None, None, None]
        v = network(z, (-2 * torch.log(torch.tan(phi))).float())
        return cos * z - sin * v, sin * z + cos * v

    def step(network, z, phi, to):
        x, eps = predict(network, z, phi)
        cos, sin = to.cos()[:, None, None, None], to.sin()[:, None, None, None]
        return cos * x.clamp(-1, 1) + sin * eps

    seconds = []
    for update in range(updates):
        begin = time.perf_counter()
        index = torch.randint(len(data), (BATCH,), generator=generator)
        x = torch.stack([data[i] for i in index.tolist()]) / 127.5 - 1
        phi = 1e-4 + spacing * torch.randint(1, STEPS + 1, (BATCH,), generator=generator)
        to = phi - spacing
        eps = torch.randn(x.shape, generator=generator)
        cos, sin = phi.cos()[:, None, None, None], phi.sin()[:, None, None, None]
        z = cos * x + sin * eps
        with torch.no_grad():
            end = step(teacher, step(teacher, z, phi, (phi + to) / 2), (phi + to) / 2, to)
            ratio = (to.sin() / phi.sin())[:, None, None, None]
            target = (end - ratio * z) / (to.cos()[:, None, None, None] - ratio * cos)
        predicted, _ = predict(student, z, phi)
        weight = (1 / torch.tan(phi).square()).clamp(min=1)
        loss = (weight * (predicted - target).square().mean(dim=(1, 2, 3))).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        loss.item()
        if update > skipped:
            seconds.append(time.perf_counter() - begin)
    return seconds


def measure(rounds, updates, skipped=5):
    data, network = Images(), UNet()
    plain = UNet()
    ours, theirs = [], []
    for _ in range(rounds):
        theirs += seconds_of_loop(network, plain, data, updates, skipped)
        ours += seconds_of_halfstep(network, data, updates, skipped)
    ours_ms, theirs_ms = (1000 * statistics.median(seconds) for seconds in (ours, theirs))
    print(f"{len(ours)} updates of {BATCH} images, {torch.get_num_threads()} threads, medians:")
    print(f"  plain loop  {theirs_ms:7.1f} ms")
    print(f"  halfstep    {ours_ms:7.1f} ms   {ours_ms / theirs_ms:.3f} of the plain loop")


def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def watch_memory(updates):
    def callback(event):
        if isinstance(event, halfstep.Update) and event.update % (updates // 10) == 0:
            print(f"  update {event.update:5}  {resident_mib():7.1f} MiB", flush=True)

    distil(UNet(channels=8, embedding=16), Images(), updates, callback)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--updates", type=int, default=25)
    parser.add_argument("--memory", type=int, metavar="UPDATES")
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.memory:
        watch_memory(options.memory)
    else:
        measure(options.rounds, options.updates)


if __name__ == "__main__":
    main()
