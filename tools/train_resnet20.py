#!/usr/bin/env python3
"""Trains the feature network for Fréchet distances on Fashion-MNIST.

Trains a ResNet-20 (He et al. 2016, section 4.2, option A) on the 60,000 training images. Writes its weights with the
metadata that `halfstep evaluate --features` needs: the network, its name, and the mean and deviation of its input.

    python tools/train_resnet20.py --data /usr/share/datasets/fashion-mnist --out resnet20-fashion.safetensors

Needs torch, numpy and safetensors. The images are 28 x 28, randomly mirrored and shifted by up to 2 pixels.
"""
import argparse
import gzip
import json
import pathlib
import time

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F


def read_idx(path):
    raw = gzip.open(path).read()
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape)


class Block(nn.Module):
    def __init__(self, in_channels, channels, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.stride = stride

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:  # option A: every second pixel, zero channels on both sides
            pad = y.shape[1] // 4
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, pad, pad))
        return F.relu(x + y)


class ResNet20(nn.Module):
    def __init__(self, in_channels, classes):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*[Block(16, 16, 1) for _ in range(3)])
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def augmented(images):
    images = torch.where((torch.rand(len(images)) < 0.5)[:, None, None, None], images.flip(3), images)
    dy, dx = torch.randint(-2, 3, (2,)).tolist()
    return torch.roll(F.pad(images, (2, 2, 2, 2)), (dy, dx), (2, 3))[:, :, 2:-2, 2:-2]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)

    images = {s: torch.from_numpy(read_idx(args.data / f"{s}-images-idx3-ubyte.gz").copy())[:, None] for s in ("train", "t10k")}
    labels = {s: torch.from_numpy(read_idx(args.data / f"{s}-labels-idx1-ubyte.gz").copy()).long() for s in ("train", "t10k")}
    scaled = images["train"].double() / 255
    mean, std = round(scaled.mean().item(), 4), round(scaled.std().item(), 4)

    model = ResNet20(1, 10).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = args.epochs * (len(images["train"]) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=steps, pct_start=0.2)
    begin = time.time()
    for epoch in range(args.epochs):
        model.train()
        total = 0.0
        order = torch.randperm(len(images["train"])).split(args.batch)[: steps // args.epochs]
        for index in order:
            x = augmented((images["train"][index].float() / 255 - mean) / std)
            loss = F.cross_entropy(model(x.to(memory_format=torch.channels_last)), labels["train"][index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        model.eval()
        with torch.no_grad():
            x = (images["t10k"].float() / 255 - mean) / std
            right = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(x.split(500), labels["t10k"].split(500)))
        print(f"epoch {epoch + 1} loss {total / len(order):.4f} test accuracy {right / 100:.2f} % {time.time() - begin:.0f} s", flush=True)

    about = {"network": "resnet20", "name": "ResNet20-FashionMNIST", "mean": [mean], "std": [std]}
    tensors = {k: v.contiguous() for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    save_file(tensors, args.out, {"halfstep_features": json.dumps(about)})


if __name__ == "__main__":
    main()
