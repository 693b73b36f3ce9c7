#!/usr/bin/env python3
"""Converts the public PyTorch weights of the network for FID and the Inception Score to a feature network.

    python tools/convert_inception.py --weights pt_inception-2015-12-05-6726825d.pth --out inception.safetensors

The weights are one file with two names, a port of TensorFlow's inception-2015-12-05 (Apache 2.0):

    https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth
    https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth

The weights of torchvision belong to another network. NVIDIA's inception-2015-12-05.pt is TorchScript, which halfstep reads
directly. Needs torch, numpy and safetensors.
"""
import argparse
import hashlib
import json
import pathlib
import sys

import torch
from safetensors.torch import save_file

ABOUT = {"network": "inception", "name": "Inception"}
SHA256 = "6726825d"  # first digits for the public file; part of its name
COUNTER = "num_batches_tracked"  # only used in training


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    try:
        state = torch.load(args.weights, map_location="cpu", weights_only=True)
    except RuntimeError:
        sys.exit(f"{args.weights}: expected a state_dict; pass a TorchScript file directly to halfstep")
    tensors = {name: tensor.float().contiguous() for name, tensor in state.items() if not name.endswith(COUNTER)}
    # halfstep checks the other tensors when it loads the file
    if tuple(tensors.get("fc.weight", torch.empty(0)).shape) != (1008, 2048):
        sys.exit(f"{args.weights}: expected fc.weight [1008, 2048]; this is a different network")
    found = hashlib.sha256(args.weights.read_bytes()).hexdigest()
    if not found.startswith(SHA256):
        print(f"{args.weights}: expected SHA-256 {SHA256}... (the public file), received {found}; "
              "the distances will not be comparable with published ones", file=sys.stderr)
    save_file(tensors, args.out, {"halfstep_features": json.dumps(ABOUT)})


if __name__ == "__main__":
    main()
