"""halfstep's U-Net (docs of src/halfstep/nn/unet.h) as a module of PyTorch, with any weights of it.

One level, without attention but in the middle: what the tiny configuration of the tests has.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class PlainUNet(nn.Module):
    """The network of `model`, whose weights it copies."""

    def __init__(self, model):
        super().__init__()
        self.names = {}
        self.weights = nn.ParameterList()
        for name, weight in model.weights().items():
            self.names[name] = len(self.weights)
            self.weights.append(nn.Parameter(weight))
        self.channels = model.spec.network["ch"]
        self.blocks = model.spec.network["num_res_blocks"]

    def get(self, name):
        return self.weights[self.names[name]] if name in self.names else None

    def dense(self, name, x):
        return F.linear(x, self.get(f"{name}.weight"), self.get(f"{name}.bias"))

    def conv(self, name, x):
        weight = self.get(f"{name}.weight")
        weight = weight[:, :, None, None] if weight.dim() == 2 else weight
        return F.conv2d(x, weight, self.get(f"{name}.bias"), padding=weight.shape[-1] // 2)

    def norm(self, name, x):
        return F.group_norm(x, 32, self.get(f"{name}.weight"), self.get(f"{name}.bias"), eps=1e-6)

    def residual(self, name, x, emb):
        h = self.conv(f"{name}.conv1", F.silu(self.norm(f"{name}.norm1", x)))
        scale, shift = self.dense(f"{name}.temb_proj", emb)[:, :, None, None].chunk(2, dim=1)
        h = F.silu(self.norm(f"{name}.norm2", h) * (1 + scale) + shift)
        shortcut = f"{name}.nin_shortcut"
        skip = self.conv(shortcut, x) if f"{shortcut}.weight" in self.names else x
        return self.conv(f"{name}.conv2", h) + skip

    def attention(self, name, x):
        q, k, v = self.conv(f"{name}.qkv", self.norm(f"{name}.norm", x)).flatten(2).chunk(3, dim=1)
        weight = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(x.shape[1]), dim=-1)
        return self.conv(f"{name}.proj_out", (v @ weight.transpose(1, 2)).reshape(x.shape)) + x

    def forward(self, z, logsnr, condition=None):
        phi = torch.atan(torch.exp(-logsnr.double() / 2))
        half = self.channels // 2
        frequency = torch.exp(torch.arange(half).double() * -math.log(10000) / (half - 1))
        argument = (1000 * phi / (math.pi / 2))[:, None] * frequency
        time = torch.cat([argument.sin(), argument.cos()], dim=1).float()
        emb = F.silu(self.dense("dense1", F.silu(self.dense("dense0", time))))
        h = self.conv("conv_in", z if condition is None else torch.cat([z, condition], dim=1))
        skips = [h]
        for block in range(self.blocks):
            h = self.residual(f"down_0.block_{block}", h, emb)
            skips.append(h)
        h = self.residual("mid.block_1", h, emb)
        h = self.attention("mid.attn_1", h)
        h = self.residual("mid.block_2", h, emb)
        for block in range(self.blocks + 1):
            h = self.residual(f"up_0.block_{block}", torch.cat([h, skips.pop()], dim=1), emb)
        return self.conv("conv_out", F.silu(self.norm("norm_out", h)))
