"""Wraps networks of other conventions for halfstep, which calls forward(z, logsnr) or forward(z, logsnr, labels).

halfstep's z is alpha x + sigma eps with alpha^2 + sigma^2 = 1 and logsnr = log(alpha^2 / sigma^2), one number per example. A
wrapper translates z and logsnr into what the network was trained on, and its output into one that halfstep knows:

    DiscreteEps      DDPM: net(z, timestep) -> eps                          "output": "eps"
    EdmDenoiser      EDM: net(x + sigma n, sigma) -> x                      "output": "x"
    FlowMatching     flow matching: net((1 - t) x + t n, t) -> n - x        "output": "v"

Each takes the labels, if the network has any, as a last argument and passes them on, -1 for no class:

    code = torch.jit.trace(EdmDenoiser(net).eval(), (torch.randn(2, 3, 32, 32), torch.zeros(2)))
    code.save("net.pt")

The wrapped network must be float32, and its parameters must require a gradient. README.md has the spec.json of each.
"""

import torch
from torch import nn


def per_example(values, like):
    """Returns [B] as [B, 1, 1, ...], to be multiplied with `like` [B, C, ...]."""
    return values.reshape(values.shape + (1,) * (like.dim() - 1))


class DiscreteEps(nn.Module):
    """For a network that predicts eps from a timestep, trained on the schedule alphas_cumprod[0], ..., [T - 1].

    The network receives fractional timesteps, which a sinusoidal embedding takes; round_timesteps: whole ones, for a network
    that looks its timesteps up in a table. Noise levels outside the schedule count as its first or last one.
    """

    def __init__(self, net, alphas_cumprod, round_timesteps=False):
        super().__init__()
        self.net = net
        self.round_timesteps = round_timesteps
        alphas_cumprod = torch.as_tensor(alphas_cumprod, dtype=torch.float64)
        # increasing, as searchsorted needs it
        self.register_buffer("logsnrs", torch.log(alphas_cumprod / (1.0 - alphas_cumprod)).flip(0).float())

    def timestep(self, logsnr):
        last = self.logsnrs.shape[0] - 1
        above = torch.searchsorted(self.logsnrs, logsnr.contiguous()).clamp(1, last)
        low, high = self.logsnrs[above - 1], self.logsnrs[above]
        place = (above - 1) + ((logsnr - low) / (high - low)).clamp(0.0, 1.0)
        timestep = last - place
        return timestep.round() if self.round_timesteps else timestep

    def forward(self, z, logsnr, *labels):
        return self.net(z, self.timestep(logsnr), *labels)


class EdmDenoiser(nn.Module):
    """For a denoiser D(x + sigma n; sigma) of EDM with its preconditioning, such as EDMPrecond.

    The data that it was trained on must be those that halfstep reads: images in [-1, 1], as in EDM.
    """

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, z, logsnr, *labels):
        alpha = per_example(torch.sigmoid(logsnr).sqrt(), z)
        sigma = torch.exp(-0.5 * logsnr)  # of EDM: sigma / alpha
        return self.net(z / alpha, sigma, *labels)


class FlowMatching(nn.Module):
    """For the velocity n - x of a rectified flow at (1 - t) x + t n.

    data_at_one: for the opposite convention, the velocity x - n at t x + (1 - t) n. time_scale: what t is multiplied with
    before the network receives it, such as 1000.
    """

    def __init__(self, net, data_at_one=False, time_scale=1.0):
        super().__init__()
        self.net = net
        self.data_at_one = data_at_one
        self.time_scale = time_scale

    def forward(self, z, logsnr, *labels):
        alpha = torch.sigmoid(logsnr).sqrt()
        sigma = torch.sigmoid(-logsnr).sqrt()
        total = per_example(alpha + sigma, z)
        noise = sigma / (alpha + sigma)
        time = 1.0 - noise if self.data_at_one else noise
        velocity = self.net(z / total, self.time_scale * time, *labels)
        if self.data_at_one:
            velocity = -velocity
        # v = alpha eps - sigma x
        return (per_example(alpha - sigma, z) * z + velocity) / total
