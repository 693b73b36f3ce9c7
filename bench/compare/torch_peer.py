"""The PyTorch peer: halfstep's network and updates as a PyTorch user would write them.

    torch_peer.py write --shape SHAPE FOLDER   writes the network with random weights as a halfstep model,
                                               noise, and the images that PyTorch samples from it
    torch_peer.py serve --shape SHAPE --mode MODE --threads N --batch N [--device DEVICE]
                                               measures what each line of stdin requests; answers with a JSON line

compare.py runs it. The modules have the names of halfstep's model files (docs/formats.md).
"""

import argparse
import copy
import ctypes
import gc
import json
import math
import struct
import sys
import time
from pathlib import Path

import numpy
import torch
from torch import nn
from torch.nn import functional

# `network` has the options of a halfstep model; `batch` is the number of images per update.
SHAPES = {
    "cifar64": dict(
        batch=16,
        network=dict(image_size=32, in_channels=3, ch=64, ch_mult=[1, 2], num_res_blocks=2,
                     attn_resolutions=[16], num_heads=None, head_dim=64)),
    "fashion": dict(
        batch=64,
        network=dict(image_size=28, in_channels=1, ch=32, ch_mult=[1, 2, 2], num_res_blocks=2,
                     attn_resolutions=[7], num_heads=1, head_dim=None)),
}  # fmt: skip
MODES = ("eager", "channels_last", "bf16", "bf16_channels_last", "compile", "compile_channels_last", "compile_bf16",
         "compile_bf16_channels_last")  # fmt: skip
# On GPUs, PyTorch's fast modes are other ones: with CUDA graphs, or with kernels chosen by timing.
GPU_MODES = ("eager", "bf16_channels_last", "compile_bf16_channels_last", "graphs_bf16_channels_last",
             "autotune_bf16_channels_last")  # fmt: skip
# The modes of torch.compile by the first word of a mode.
COMPILERS = {"compile": None, "graphs": "reduce-overhead", "autotune": "max-autotune"}
STEPS = 4  # sampling steps, also of the student
LOGSNR_MAX = 20.0
PHI_MIN = math.atan(math.exp(-LOGSNR_MAX / 2))  # the cosine schedule: phi(t) is linear between the two
PHI_MAX = math.pi / 2 - PHI_MIN


class ResnetBlock(nn.Module):
    def __init__(self, c_in, c_out, emb, resample=None):
        super().__init__()
        self.resample = resample
        self.norm1 = nn.GroupNorm(32, c_in, eps=1e-6)
        self.conv1 = nn.Conv2d(c_in, c_out, 3, padding=1)
        self.temb_proj = nn.Linear(emb, 2 * c_out)
        self.norm2 = nn.GroupNorm(32, c_out, eps=1e-6)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, padding=1)
        self.nin_shortcut = nn.Conv2d(c_in, c_out, 1) if c_in != c_out else nn.Identity()

    def resampled(self, x):
        if self.resample == "up":
            return functional.interpolate(x, scale_factor=2, mode="nearest")
        return functional.avg_pool2d(x, 2) if self.resample == "down" else x

    def forward(self, x, emb):
        h = self.conv1(self.resampled(functional.silu(self.norm1(x))))
        scale, shift = self.temb_proj(emb)[:, :, None, None].chunk(2, 1)
        h = self.conv2(functional.silu(self.norm2(h) * (1 + scale) + shift))
        return self.nin_shortcut(self.resampled(x)) + h


class AttentionBlock(nn.Module):
    def __init__(self, channels, num_heads, head_dim):
        super().__init__()
        self.heads = num_heads or channels // head_dim
        self.norm = nn.GroupNorm(32, channels, eps=1e-6)
        self.qkv = nn.Conv2d(channels, 3 * channels, 1)
        self.proj_out = nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        b, c, h, w = x.shape
        qkv = self.qkv(self.norm(x)).reshape(b, 3, self.heads, c // self.heads, h * w)
        q, k, v = qkv.transpose(-1, -2).unbind(1)
        mixed = functional.scaled_dot_product_attention(q, k, v)
        return x + self.proj_out(mixed.transpose(-1, -2).reshape(b, c, h, w))


class UNet(nn.Module):
    def __init__(self, image_size, in_channels, ch, ch_mult, num_res_blocks, attn_resolutions, num_heads, head_dim):
        super().__init__()
        emb = 4 * ch
        self.ch, self.levels, self.blocks = ch, len(ch_mult), num_res_blocks
        self.dense0, self.dense1 = nn.Linear(ch, emb), nn.Linear(emb, emb)
        self.conv_in = nn.Conv2d(in_channels, ch, 3, padding=1)
        skips, c, size = [ch], ch, image_size

        def stage(level, b, c_in, c_out):
            level[f"block_{b}"] = ResnetBlock(c_in, c_out, emb)
            if size in attn_resolutions:
                level[f"attn_{b}"] = AttentionBlock(c_out, num_heads, head_dim)

        for i, mult in enumerate(ch_mult):
            level = nn.ModuleDict()
            for b in range(num_res_blocks):
                stage(level, b, c, ch * mult)
                c = ch * mult
                skips.append(c)
            if i < len(ch_mult) - 1:
                level["downsample"] = ResnetBlock(c, c, emb, "down")
                skips.append(c)
                size //= 2
            self.add_module(f"down_{i}", level)
        self.mid = nn.ModuleDict(
            dict(block_1=ResnetBlock(c, c, emb), attn_1=AttentionBlock(c, num_heads, head_dim),
                 block_2=ResnetBlock(c, c, emb)))  # fmt: skip
        for i, mult in reversed(list(enumerate(ch_mult))):
            level = nn.ModuleDict()
            for b in range(num_res_blocks + 1):
                stage(level, b, c + skips.pop(), ch * mult)
                c = ch * mult
            if i > 0:
                level["upsample"] = ResnetBlock(c, c, emb, "up")
                size *= 2
            self.add_module(f"up_{i}", level)
        self.norm_out = nn.GroupNorm(32, c, eps=1e-6)
        self.conv_out = nn.Conv2d(c, in_channels, 3, padding=1)

    def forward(self, z, phi):
        half = self.ch // 2
        frequency = torch.exp(torch.arange(half, device=z.device) * (-math.log(10000) / (half - 1)))
        argument = (1000 / (math.pi / 2) * phi)[:, None] * frequency
        emb = torch.cat([argument.sin(), argument.cos()], 1)
        emb = functional.silu(self.dense1(functional.silu(self.dense0(emb))))

        def run(level, b, h):
            h = level[f"block_{b}"](h, emb)
            return level[f"attn_{b}"](h) if f"attn_{b}" in level else h

        h = self.conv_in(z)
        skips = [h]
        for i in range(self.levels):
            level = getattr(self, f"down_{i}")
            for b in range(self.blocks):
                h = run(level, b, h)
                skips.append(h)
            if "downsample" in level:
                h = level["downsample"](h, emb)
                skips.append(h)
        h = self.mid["block_2"](self.mid["attn_1"](self.mid["block_1"](h, emb)), emb)
        for i in reversed(range(self.levels)):
            level = getattr(self, f"up_{i}")
            for b in range(self.blocks + 1):
                h = run(level, b, torch.cat([h, skips.pop()], 1))
            if "upsample" in level:
                h = level["upsample"](h, emb)
        return self.conv_out(functional.silu(self.norm_out(h)))


def make_network(shape):
    """Returns the network with PyTorch's random weights and random norms; no weight is 0, which would hide errors."""
    torch.manual_seed(0)
    network = UNet(**SHAPES[shape]["network"])
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "norm" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return network


def phi_of(t):
    return PHI_MIN + (PHI_MAX - PHI_MIN) * t


def ddim(x, z, phi_t, phi_s, cos=math.cos, sin=math.sin):
    return cos(phi_s) * x + sin(phi_s) / sin(phi_t) * (z - cos(phi_t) * x)


@torch.no_grad()
def sample(network, z, cast):
    """Makes 4 DDIM steps, clipping x at each; returns uint8 with the shape of z."""
    for i in range(STEPS, 0, -1):
        phi_t, phi_s = phi_of(i / STEPS), phi_of((i - 1) / STEPS) if i > 1 else 0.0
        with cast():
            x = network(z, torch.full((len(z),), phi_t, device=z.device))
        z = ddim(x.float().clamp(-1, 1), z, phi_t, phi_s)
    return (127.5 * z + 128).clamp(0, 255).to(torch.uint8)


class Peer:
    """A student and its teacher in one of the modes."""

    def __init__(self, shape, mode, device="cpu", batch=None):
        self.device = torch.device(device)
        self.batch = batch or SHAPES[shape]["batch"]
        network = SHAPES[shape]["network"]
        self.image = (network["in_channels"], network["image_size"], network["image_size"])
        self.layout = torch.channels_last if "channels_last" in mode else torch.contiguous_format
        self.cast = lambda: torch.autocast(self.device.type, dtype=torch.bfloat16, enabled="bf16" in mode)
        self.student = make_network(shape).to(self.device, memory_format=self.layout)
        self.teacher = copy.deepcopy(self.student).eval().requires_grad_(False)
        self.call_student, self.call_teacher = self.student, self.teacher
        compiled = mode.partition("_")[0]
        if compiled in COMPILERS:  # static batch sizes are faster than dynamic ones
            how = dict(dynamic=False, mode=COMPILERS[compiled])
            self.call_student = torch.compile(self.student, **how)
            self.call_teacher = torch.compile(self.teacher, **how)
        self.images = torch.randint(0, 256, (self.batch, *self.image), dtype=torch.uint8, device=self.device)
        self.adam = None

    def noise(self, batch):
        return torch.randn(batch, *self.image, device=self.device).contiguous(memory_format=self.layout)

    def diffused(self, phi):
        x = (self.images.float() / 127.5 - 1).contiguous(memory_format=self.layout)
        return x, phi.cos() * x + phi.sin() * torch.randn_like(x)

    def learn(self, z, phi, target):
        if self.adam is None:
            self.adam = torch.optim.Adam(self.student.parameters(), lr=1e-4, fused=True)
        with self.cast():
            out = self.call_student(z, phi.flatten())
        weight = (1 / phi.tan() ** 2).clamp(min=1)  # snr_trunc
        loss = (weight * (out.float() - target) ** 2).mean()
        self.adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        self.adam.step()
        return loss.item()

    def train(self):
        phi = phi_of(1 - torch.rand(self.batch, 1, 1, 1, device=self.device))
        x, z = self.diffused(phi)
        self.learn(z, phi, x)

    def distill(self):
        i = torch.randint(0, STEPS, (self.batch, 1, 1, 1), device=self.device)
        t, m, s = phi_of((i + 1) / STEPS), phi_of((i + 0.5) / STEPS), torch.where(i > 0, phi_of(i / STEPS), 0.0)
        _, z = self.diffused(t)
        with torch.no_grad(), self.cast():
            # A copy: with CUDA graphs, the next call overwrites the output of the last.
            x1 = self.call_teacher(z, t.flatten()).float().clone()
            x2 = self.call_teacher(ddim(x1, z, t, m, torch.cos, torch.sin), m.flatten()).float()
        w = s.sin() * (t - m).sin() / (m.sin() * (t - s).sin())
        self.learn(z, t, w * x1 + (1 - w) * x2)

    def sample(self, batch):
        sample(self.call_teacher, self.noise(batch), self.cast)

    def do(self, operation, batch):
        self.sample(batch) if operation == "sample" else getattr(self, operation)()
        if self.device.type == "cuda":
            torch.cuda.synchronize()

    def forget_updates(self):
        """Frees the memory of the updates."""
        self.adam = None
        self.student.zero_grad()
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)


def status_mib(field):
    """Returns a field of /proc/self/status, such as VmRSS, in MiB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024


def memory_of_updates(peer):
    """Returns the memory that two distillation updates add to that of the loaded networks, in MiB."""
    networks = status_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # proc(5): resets the peak resident set size
    for _ in range(2):
        peer.distill()
    peak = status_mib("VmHWM")
    return dict(networks=networks, peak=peak, update_adds=peak - networks)


def serve(shape, mode, threads, device, batch):
    torch.set_num_threads(threads)
    peer = Peer(shape, mode, device, batch)
    if mode.partition("_")[0] in COMPILERS:  # memory left by compiling does not count
        peer.distill()
        peer.forget_updates()
    memory = memory_of_updates(peer) if device == "cpu" else None
    print(json.dumps(dict(torch=torch.__version__, memory_mib=memory)), flush=True)
    warm = set()
    for line in sys.stdin:
        request = json.loads(line)
        operation = request["operation"], request["batch"]
        for _ in range(0 if operation in warm else 2):
            peer.do(*operation)
        warm.add(operation)
        times = []
        for _ in range(request["runs"]):
            begin = time.perf_counter()
            peer.do(*operation)
            times.append(1e3 * (time.perf_counter() - begin))
        print(json.dumps(times), flush=True)


def write_model(path, shape, network):
    """Writes a model.safetensors (docs/formats.md)."""
    options = SHAPES[shape]["network"]
    spec = dict(
        version=1, output="x", num_steps=STEPS, origin={},
        schedule=dict(type="cosine", logsnr_min=-LOGSNR_MAX, logsnr_max=LOGSNR_MAX),
        network=dict(type="unet", out_channels=options["in_channels"], emb_ch=4 * options["ch"], **options))  # fmt: skip
    header, data = {"__metadata__": {"halfstep": json.dumps(spec)}}, b""
    for name, tensor in network.state_dict().items():
        shape = list(tensor.shape)
        if ".qkv." in name or ".proj_out." in name:  # a 1 x 1 convolution in PyTorch, a matrix in halfstep
            shape = shape[:2]
        values = tensor.numpy().tobytes()
        header[name] = dict(dtype="F32", shape=shape, data_offsets=[len(data), len(data) + len(values)])
        data += values
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def write(shape, folder):
    network = make_network(shape)
    write_model(folder / "model.safetensors", shape, network)
    noise = Peer(shape, "eager").noise(8)
    numpy.save(folder / "noise.npy", noise.numpy())
    for name, bf16 in (("images", False), ("images_bf16", True)):
        cast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16)
        numpy.save(folder / f"{name}.npy", sample(network, noise, cast).permute(0, 2, 3, 1).numpy())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    writing, serving = commands.add_parser("write"), commands.add_parser("serve")
    for command in (writing, serving):
        command.add_argument("--shape", choices=SHAPES, required=True)
    writing.add_argument("folder", type=Path)
    serving.add_argument("--mode", choices={*MODES, *GPU_MODES}, required=True)
    serving.add_argument("--threads", type=int, required=True)
    serving.add_argument("--device", default="cpu")
    serving.add_argument("--batch", type=int, required=True)
    a = parser.parse_args()
    if a.command == "write":
        write(a.shape, a.folder)
    else:
        serve(a.shape, a.mode, a.threads, a.device, a.batch)


if __name__ == "__main__":
    main()
