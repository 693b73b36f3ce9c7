#!/usr/bin/env python3
"""Samples networks of other conventions through examples/distill_torchscript/wrappers.py, and compares with closed forms.

    wrappers_test.py HALFSTEP EXAMPLE [PYTHON]

The data are Gaussian, so that the optimal network of every convention is a formula with the mean and the deviation as its
parameters. Runs again under PYTHON if this Python lacks torch; exits with 77 (skipped) without either.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import torch
    from torch import nn
except ImportError:
    if len(sys.argv) > 3 and os.access(sys.argv[3], os.X_OK):
        sys.exit(subprocess.run([sys.argv[3], *sys.argv[:3]], check=False).returncode)
    print("needs torch and numpy")
    sys.exit(77)

sys.path.insert(0, sys.argv[2])
import wrappers  # noqa: E402

MEAN, DEVIATION = (0.5, -0.25), (0.75, 1.5)
LOGSNR = 8.0  # the schedule ends at -8 and 8, which all conventions contain
COUNT = 64
TOLERANCE = 2e-4  # of samples of order 1, in float32
BETAS = np.linspace(1e-4, 0.02, 1000)
LABEL_SHIFT = 0.125  # added to the mean, times the label


class Gaussian(nn.Module):
    def __init__(self):
        super().__init__()
        self.mean = nn.Parameter(torch.tensor(MEAN))
        self.deviation = nn.Parameter(torch.tensor(DEVIATION))

    def noise_of(self, z, alpha, sigma, mean):
        """Returns E[eps | alpha x + sigma eps = z]."""
        return sigma * (z - alpha * mean) / ((alpha * self.deviation) ** 2 + sigma**2)


class OfTimestep(Gaussian):
    def __init__(self, alphas_cumprod):
        super().__init__()
        self.register_buffer("logsnrs", torch.log(alphas_cumprod / (1 - alphas_cumprod)).float())

    def forward(self, z, timestep):
        low = timestep.floor().long().clamp(0, 998)
        part = timestep - low
        logsnr = (self.logsnrs[low] * (1 - part) + self.logsnrs[low + 1] * part).unsqueeze(1)
        return self.noise_of(z, torch.sigmoid(logsnr).sqrt(), torch.sigmoid(-logsnr).sqrt(), self.mean)


class OfSigma(Gaussian):
    def forward(self, y, sigma, labels):
        sigma = sigma.unsqueeze(1)
        mean = self.mean + LABEL_SHIFT * labels.to(y.dtype).unsqueeze(1)
        return y - sigma * self.noise_of(y, torch.ones_like(sigma), sigma, mean)


class OfFlow(Gaussian):
    def __init__(self, data_at_one, scale):
        super().__init__()
        self.data_at_one, self.scale = data_at_one, scale

    def forward(self, y, time):
        time = time.unsqueeze(1) / self.scale
        noise = 1 - time if self.data_at_one else time
        eps = self.noise_of(y, 1 - noise, noise, self.mean)
        x = self.mean + (1 - noise) * self.deviation**2 * (y - (1 - noise) * self.mean) / (
            ((1 - noise) * self.deviation) ** 2 + noise**2)
        return x - eps if self.data_at_one else eps - x


def closed_form(z, steps, mean):
    """Returns what DDIM draws from the noise z with the optimal denoiser, in float64."""
    first, last = np.arctan(np.exp(-LOGSNR / 2)), np.arctan(np.exp(LOGSNR / 2))
    deviation = np.array(DEVIATION)
    z = z.astype(np.float64)
    for step in range(steps, 0, -1):
        phi = first + (last - first) * step / steps
        alpha, sigma = np.cos(phi), np.sin(phi)
        eps = sigma * (z - alpha * mean) / ((alpha * deviation) ** 2 + sigma**2)
        x = (z - sigma * eps) / alpha
        next_phi = first + (last - first) * (step - 1) / steps
        z = np.cos(next_phi) * x + np.sin(next_phi) * eps
    return x


def main():
    halfstep = sys.argv[1]
    alphas_cumprod = torch.from_numpy(np.cumprod(1 - BETAS))
    pair = (torch.randn(2, 2), torch.zeros(2))
    label = torch.tensor([1, 0])
    cases = {
        "timesteps": (wrappers.DiscreteEps(OfTimestep(alphas_cumprod), alphas_cumprod), "eps", pair),
        "sigma": (wrappers.EdmDenoiser(OfSigma()), "x", (*pair, label)),
        "flow": (wrappers.FlowMatching(OfFlow(False, 1000.0), time_scale=1000.0), "v", pair),
        "flow, data at one": (wrappers.FlowMatching(OfFlow(True, 1.0), data_at_one=True), "v", pair),
    }
    failures = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        noise = np.random.default_rng(0).standard_normal((COUNT, 2)).astype(np.float32)
        np.save(folder / "noise.npy", noise)
        for case, (network, output, inputs) in cases.items():
            classes = len(inputs) == 3
            spec = {"version": 1, "output": output, "schedule": {"type": "cosine", "logsnr_min": -LOGSNR, "logsnr_max": LOGSNR},
                    "network": {"type": "torchscript", "shape": [2], "out_channels": 2, "num_classes": 3 if classes else 0}}
            code = torch.jit.trace(network.eval(), inputs)
            torch.jit.save(code, str(folder / "net.pt"), _extra_files={"halfstep.json": json.dumps(spec)})
            mean = np.array(MEAN) + (2 * LABEL_SHIFT if classes else 0.0)
            for steps in (1, 8):
                command = [halfstep, "sample", "--model", folder / "net.pt", "--steps", str(steps), "--noise", folder / "noise.npy",
                           "--seeds", f"0-{COUNT - 1}", "--batch", "20", "--npz", folder / "samples.npz", "--threads", "1"]
                subprocess.run(command + (["--class", "2"] if classes else []), check=True, stdout=subprocess.DEVNULL)
                error = np.abs(np.load(folder / "samples.npz")["arr_0"] - closed_form(noise, steps, mean)).max()
                print(f"{case}, {steps} steps: largest difference {error:.2e}")
                failures += not error < TOLERANCE
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
