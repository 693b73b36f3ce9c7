#!/usr/bin/env python3
"""Packs a ResNet-20 of akamaster/pytorch_resnet_cifar10 as a feature network.

    python tools/pack_resnet20.py --weights resnet20.safetensors --out models/features/resnet20-cifar10.safetensors

`--weights` is the .th file of that repository, or a .safetensors file with the float32 tensors of its state_dict. Needs
numpy and safetensors, and torch for a .th file.
"""
import argparse
import json
import pathlib

from safetensors.numpy import load_file, save_file

# For pixels in [0, 1], as used by that repository.
ABOUT = {"network": "resnet20", "name": "ResNet20-CIFAR10", "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}


def weights(path):
    if path.suffix == ".safetensors":
        return load_file(path)
    import torch

    state = torch.load(path, map_location="cpu", weights_only=True)["state_dict"]
    return {name.removeprefix("module."): tensor.float().numpy() for name, tensor in state.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    tensors = {name: array for name, array in weights(args.weights).items() if not name.endswith("num_batches_tracked")}
    save_file(tensors, args.out, {"halfstep_features": json.dumps(ABOUT)})


if __name__ == "__main__":
    main()
