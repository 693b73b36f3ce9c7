"""Trains a U-Net in plain PyTorch, and distils it from 32 sampling steps to 4.

    python distil_my_unet.py

Takes 3 minutes on 2 cores. There the PSNR to the teacher's 32 steps was 21.1 dB for its own 4 steps
and 31.4 dB for the student's. With more updates both draw better images.
"""

import math

import torch
from common import Fashion, compare, fit
from torch import nn
from torch.nn import functional as F

import halfstep

STEPS, END_STEPS = 32, 4


class Block(nn.Module):
    """Two convolutions, between which the time scales and shifts the channels."""

    def __init__(self, channels_in, channels_out, embedding):
        super().__init__()
        self.norm1 = nn.GroupNorm(8, channels_in)
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, padding=1)
        self.time = nn.Linear(embedding, 2 * channels_out)
        self.norm2 = nn.GroupNorm(8, channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, padding=1)
        self.skip = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x, embedding):
        h = self.conv1(F.silu(self.norm1(x)))
        scale, shift = self.time(embedding)[:, :, None, None].chunk(2, dim=1)
        return self.conv2(F.silu(self.norm2(h) * (1 + scale) + shift)) + self.skip(x)


class UNet(nn.Module):
    """Three sizes: 28, 14 and 7 pixels. Nothing in it knows of halfstep."""

    def __init__(self, channels=32, embedding=128):
        super().__init__()
        c = channels
        self.frequencies = channels // 2
        self.embed = nn.Sequential(
            nn.Linear(c, embedding), nn.SiLU(), nn.Linear(embedding, embedding), nn.SiLU()
        )
        self.first = nn.Conv2d(1, c, 3, padding=1)
        self.down = nn.ModuleList(
            [Block(c, c, embedding), Block(c, 2 * c, embedding), Block(2 * c, 2 * c, embedding)]
        )
        self.up = nn.ModuleList(
            [Block(4 * c, 2 * c, embedding), Block(4 * c, c, embedding), Block(2 * c, c, embedding)]
        )
        self.middle = Block(2 * c, 2 * c, embedding)
        self.last = nn.Sequential(nn.GroupNorm(8, c), nn.SiLU(), nn.Conv2d(c, 1, 3, padding=1))

    def forward(self, z, logsnr):
        frequency = torch.exp(torch.linspace(0, math.log(100), self.frequencies))
        argument = torch.atan(torch.exp(-logsnr / 2))[:, None] * frequency
        embedding = self.embed(torch.cat([argument.sin(), argument.cos()], dim=1))
        h, skips = self.first(z), []
        for level, block in enumerate(self.down):
            h = block(F.avg_pool2d(h, 2) if level else h, embedding)
            skips.append(h)
        h = self.middle(h, embedding)
        for level, block in enumerate(self.up):
            h = F.interpolate(h, scale_factor=2) if level else h
            h = block(torch.cat([h, skips.pop()], dim=1), embedding)
        return self.last(h)


def train(network, data, updates, batch):
    """Trains the network to predict v on the cosine schedule."""

    def loss_of_batch(generator):
        x, _ = data.batch(batch, generator)
        phi = torch.rand(batch, generator=generator) * (math.pi / 2 - 2e-4) + 1e-4
        eps = torch.randn(x.shape, generator=generator)
        cos, sin = phi.cos()[:, None, None, None], phi.sin()[:, None, None, None]
        v = network(cos * x + sin * eps, -2 * torch.log(torch.tan(phi)))
        return (v - (cos * eps - sin * x)).square().mean()

    fit(network, updates, loss_of_batch)


def main(updates=250, updates_per_stage=80, batch=16, outdir="runs"):
    torch.manual_seed(0)
    data = Fashion()
    network = UNet()
    train(network, data, updates, batch)

    spec = halfstep.Spec(shape=(1, 28, 28), output="v")
    run = halfstep.distill(
        network, data, spec=spec, method="halving", start_steps=STEPS, end_steps=END_STEPS,
        updates_per_stage=updates_per_stage, batch=batch, lr=3e-4, outdir=outdir,
    )  # fmt: skip
    compare(halfstep.from_module(network, spec), run.model, STEPS, END_STEPS)
    print(f"images of every stage: {run.folder}/stage-*/samples.png")


if __name__ == "__main__":
    main()
