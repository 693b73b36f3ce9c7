#!/usr/bin/env python3
"""Trains a feature network for `halfstep evaluate --features` on Fashion-MNIST or CIFAR-10.

    python tools/train_feature_network.py --network resnet20 --name ResNet20-FashionMNIST \\
        --data /usr/share/datasets/fashion-mnist --out resnet20-fashion.safetensors
    python tools/train_feature_network.py --network vgg --epochs 10 --bf16 --data cifar-10-batches-bin --out vgg-cifar10.pt

`--data` is a folder with the four IDX files of MNIST's kind, or with the binary version of CIFAR-10. The training images
are randomly mirrored and shifted by up to 2 pixels. The networks:

    resnet20  ResNet-20 (He et al. 2016, section 4.2, option A): 64 features. Writes float32 safetensors.
    vgg       Five 3 x 3 convolutions with batch norm and leaky ReLU, max pooling after the first and the third, as in VGG
              (Simonyan & Zisserman 2015); no residuals: 128 features. Writes TorchScript. The batch norms are folded into
              the convolutions. Weights are stored in float16 and used in float32.

Needs torch and numpy; resnet20 also needs safetensors.
"""
import argparse
import gzip
import json
import pathlib
import time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

def read_idx(path):
    raw = gzip.open(path).read()
    shape = np.frombuffer(raw, ">i4", raw[3], 4)
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=4 + 4 * raw[3]).reshape(shape).copy())


def read_batches(paths):
    rows = np.concatenate([np.fromfile(path, np.uint8).reshape(-1, 1 + 3 * 32 * 32) for path in paths])
    return torch.from_numpy(rows[:, 1:].reshape(-1, 3, 32, 32)), torch.from_numpy(rows[:, 0]).long()


def read(folder):
    """Returns the training and the test set, each as uint8 images [N, C, H, W] and labels."""
    if (folder / "test_batch.bin").exists():
        return read_batches([folder / f"data_batch_{i}.bin" for i in range(1, 6)]), read_batches([folder / "test_batch.bin"])
    sets = [(folder / f"{s}-images-idx3-ubyte.gz", folder / f"{s}-labels-idx1-ubyte.gz") for s in ("train", "t10k")]
    return [(read_idx(images)[:, None], read_idx(labels).long()) for images, labels in sets]


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

    def save(self, path, name, mean, std):
        from safetensors.torch import save_file

        about = {"network": "resnet20", "name": name, "mean": mean, "std": std}
        tensors = {k: v.contiguous() for k, v in self.state_dict().items() if not k.endswith("num_batches_tracked")}
        save_file(tensors, path, {"halfstep_features": json.dumps(about)})


class NormedConv(nn.Module):
    def __init__(self, in_channels, channels):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, channels, 3, 1, 1, bias=False)
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x):
        return self.bn(self.conv(x))


class HalfConv(nn.Module):
    """A NormedConv with its batch norm folded into float16 weights, which are used in float32."""

    def __init__(self, normed):
        super().__init__()
        scale = normed.bn.weight / torch.sqrt(normed.bn.running_var + normed.bn.eps)
        self.register_buffer("weight", (normed.conv.weight * scale[:, None, None, None]).detach().half().contiguous())
        self.register_buffer("bias", (normed.bn.bias - normed.bn.running_mean * scale).detach().half())

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight.float(), self.bias.float(), padding=1)


class VggFeatures(nn.Module):
    """The file: uint8 images [B, C, H, W] of any size -> features [B, 128]; `logits` classifies features."""

    def __init__(self, vgg, mean, std):
        super().__init__()
        self.layers = nn.Sequential(*[HalfConv(m) if isinstance(m, NormedConv) else m for m in vgg.layers])
        for name, values in ("mean", mean), ("std", std):
            self.register_buffer(name, torch.tensor(values)[:, None, None])
        self.register_buffer("weight", vgg.linear.weight.detach().half())
        self.register_buffer("bias", vgg.linear.bias.detach().half())

    def forward(self, images: Tensor) -> Tensor:
        return self.layers((images.float() / 255 - self.mean) / self.std).mean((2, 3))

    @torch.jit.export
    def logits(self, features: Tensor) -> Tensor:
        return F.linear(features, self.weight.float(), self.bias.float())


class Vgg(nn.Module):
    def __init__(self, in_channels, classes):
        super().__init__()
        def activation():
            return nn.LeakyReLU(0.1, inplace=True)

        self.layers = nn.Sequential(
            NormedConv(in_channels, 32), activation(), nn.MaxPool2d(2),
            NormedConv(32, 64), activation(), NormedConv(64, 64), activation(), nn.MaxPool2d(2),
            NormedConv(64, 128), activation(), NormedConv(128, 128), activation())
        self.linear = nn.Linear(128, classes)

    def forward(self, x):
        return self.linear(self.layers(x).mean((2, 3)))

    def save(self, path, _name, mean, std):
        torch.jit.script(VggFeatures(self, mean, std).eval()).save(str(path))


NETWORKS = {"resnet20": ResNet20, "vgg": Vgg}


def augmented(images):
    images = torch.where((torch.rand(len(images)) < 0.5)[:, None, None, None], images.flip(3), images)
    dy, dx = torch.randint(-2, 3, (2,)).tolist()
    return torch.roll(F.pad(images, (2, 2, 2, 2)), (dy, dx), (2, 3))[:, :, 2:-2, 2:-2]


def accuracy(model, images, labels):
    model.eval()
    with torch.no_grad():
        right = sum((model(a).argmax(1) == b).sum().item() for a, b in zip(images.split(500), labels.split(500)))
    model.train()
    return 100 * right / len(labels)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=NETWORKS, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--name", default="", help="the network's name in results (resnet20 only)")
    parser.add_argument("--epochs", type=int, default=14)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--bf16", action="store_true", help="train in bfloat16 where autocast allows it")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    if (args.network == "resnet20") != bool(args.name):
        parser.error("--name: resnet20 needs a name; that of a TorchScript network is its file's")
    torch.manual_seed(0)
    torch.set_num_threads(args.threads)

    (images, labels), (test_images, test_labels) = read(args.data)
    scaled = images.double() / 255
    mean = [round(v, 4) for v in scaled.mean((0, 2, 3)).tolist()]
    std = [round(v, 4) for v in scaled.std((0, 2, 3)).tolist()]
    del scaled
    shape = (1, -1, 1, 1)
    normalized = lambda x: ((x.float() / 255 - torch.tensor(mean).view(shape)) / torch.tensor(std).view(shape)).to(
        memory_format=torch.channels_last)

    model = NETWORKS[args.network](images.shape[1], 10).to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = args.epochs * (len(images) // args.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.2, total_steps=steps, pct_start=0.2)
    begin = time.time()
    for epoch in range(args.epochs):
        total = 0.0
        order = torch.randperm(len(images)).split(args.batch)[: steps // args.epochs]
        for index in order:
            with torch.autocast("cpu", torch.bfloat16, enabled=args.bf16):
                logits = model(augmented(normalized(images[index])))
            loss = F.cross_entropy(logits.float(), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        right = accuracy(model, normalized(test_images), test_labels)
        print(f"epoch {epoch + 1} loss {total / len(order):.4f} test accuracy {right:.2f} % {time.time() - begin:.0f} s", flush=True)
    model.eval().save(args.out, args.name, mean, std)


if __name__ == "__main__":
    main()
