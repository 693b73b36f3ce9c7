"""Trains a diffusion model of 2-D points with PyTorch alone. Writes points.npy and net.pt.

Needs torch and numpy, and takes about a minute on one core."""

import math

import numpy as np
import torch
from torch import nn


def spirals(count, generator):
    """Two spiral arms, half a turn apart, about as wide as noise with standard deviation 1."""
    turn = math.pi * (0.5 + 2.0 * torch.rand(count, generator=generator).sqrt())
    arm = math.pi * torch.randint(0, 2, (count,), generator=generator)
    points = torch.stack([turn * torch.cos(turn + arm), turn * torch.sin(turn + arm)], dim=1)
    return points / 4.0 + 0.03 * torch.randn(count, 2, generator=generator)


class Denoiser(nn.Module):
    """The signature that halfstep needs: forward(z [B, 2], logsnr [B]) -> v [B, 2], all float32."""

    def __init__(self, width=64, frequencies=16):
        super().__init__()
        self.register_buffer("of_logsnr", torch.exp(torch.linspace(-3.0, 0.0, frequencies)))
        self.register_buffer("of_z", 2.0 * torch.randn(2, frequencies))
        self.inputs = nn.Linear(2 + 4 * frequencies, width)
        self.blocks = nn.ModuleList([
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.SiLU(),
                          nn.Linear(2 * width, width)) for _ in range(3)
        ])
        self.output = nn.Linear(width, 2)

    def forward(self, z, logsnr):
        angles = torch.cat([logsnr.unsqueeze(1) * self.of_logsnr, z @ self.of_z], dim=1)
        h = self.inputs(torch.cat([z, angles.sin(), angles.cos()], dim=1))
        for block in self.blocks:
            h = h + block(h)
        return self.output(h)


def train(net, points, updates=8000, batch=512):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, updates)
    for update in range(updates):
        x = points[torch.randint(0, len(points), (batch,))]
        eps = torch.randn_like(x)
        # the cosine schedule: the angle phi is linear in t
        phi = 0.5 * math.pi * torch.rand(batch, 1)
        z = torch.cos(phi) * x + torch.sin(phi) * eps
        v = torch.cos(phi) * eps - torch.sin(phi) * x
        logsnr = (-2.0 * torch.log(torch.tan(phi))).clamp(-20.0, 20.0).squeeze(1)
        loss = (net(z, logsnr) - v).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        rate.step()
        if (update + 1) % 500 == 0:
            print(f"update {update + 1}: loss {loss.item():.4f}")


torch.manual_seed(0)
points = spirals(50_000, torch.Generator().manual_seed(0))
np.save("points.npy", points.numpy())
net = Denoiser()
train(net, points)
torch.jit.script(net.eval()).save("net.pt")
