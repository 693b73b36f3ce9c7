#!/usr/bin/env python3
"""Makes metrics/: what the public PyTorch implementations of the feature networks compute.

    python tests/golden/make_metrics.py resnet20 --source pytorch_resnet_cifar10/resnet.py
    python tests/golden/make_metrics.py inception --source torch-fidelity-0.4.0

`--source` is resnet.py of github.com/akamaster/pytorch_resnet_cifar10, or the source folder of torch-fidelity. Neither is
copied here; both are run in float32 and in float64. Wants torch, numpy and safetensors.
"""
import argparse
import importlib.util
import json
import math
import pathlib
import sys
import types

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional as F

GOLDEN = pathlib.Path(__file__).parent / "metrics"
MODELS = pathlib.Path(__file__).parents[2] / "models" / "features"
SAMPLES = 96  # elements that are kept of each layer


def uniform(name, count):
    """Numbers in [-1, 1) that are a function of (name, index), exact in float32; tests/metrics repeats it."""
    seed = 2166136261
    for byte in name.encode():
        seed = (seed ^ byte) * 16777619 % 2**32  # FNV-1a
    h = np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)  # the end of MurmurHash3
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    h = h ^ (h >> np.uint32(16))
    return (h >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-23) - np.float32(1)


def pictures(name, count, size):
    """uint8 [count, 3, size, size]: waves that differ by image and channel, and noise."""
    b, c, y, x = np.meshgrid(range(count), range(3), range(size), range(size), indexing="ij")
    waves = np.sin(0.21 * (b + 1) * x + 0.13 * (c + 1) * y + b) * 70 + 128
    noise = uniform(name, waves.size).reshape(waves.shape) * 50
    return torch.from_numpy(np.clip(np.rint(waves + noise), 0, 255).astype(np.uint8))


def sampled(layer):
    flat = layer.contiguous().flatten()
    return flat[:: flat.numel() // SAMPLES][:SAMPLES].clone()


def write(name, inputs, runs, keep, settings):
    """`runs`: {output: (float32, float64)}; `keep(output, tensor)` is what is stored of it."""
    tensors, errors = {f"in/{key}": value for key, value in inputs.items()}, {}
    for key, (single, double) in runs.items():
        tensors[f"out/{key}"] = keep(key, single)
        tensors[f"out/{key}@64"] = keep(key, double)
        errors[f"out/{key}"] = [(single.double() - double).abs().max().item(), double.abs().max().item()]
        print(f"{key:15} {str(list(double.shape)):22} rms {double.square().mean().sqrt().item():8.4f}"
              f" max {errors[f'out/{key}'][1]:8.4f}  float32 off by {errors[f'out/{key}'][0]:.1e}")
    GOLDEN.mkdir(exist_ok=True)
    save_file({key: value.contiguous() for key, value in tensors.items()}, GOLDEN / f"{name}.safetensors")
    settings = {**settings, "torch": torch.__version__, "f32_vs_f64_maxabsdiff_and_scale": errors}
    lines = ",\n".join(f" {json.dumps(key)}: {json.dumps(value)}" for key, value in settings.items())
    (GOLDEN / f"{name}.json").write_text(f"{{\n{lines}\n}}\n")


def module_of(path):
    spec = importlib.util.spec_from_file_location("public", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def resnet20(source):
    images = pictures("resnet20", 6, 32)
    weights = load_file(MODELS / "resnet20-cifar10.safetensors")
    mean, std = (torch.tensor(v, dtype=torch.float64)[:, None, None] for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))

    def run(dtype):
        network = module_of(source).resnet20()
        network.load_state_dict(weights)
        network = network.to(dtype).eval()
        features = []
        network.layer3.register_forward_hook(lambda module, inputs, output: features.append(output.mean((2, 3))))
        with torch.no_grad():
            logits = network(((images.double() / 255 - mean) / std).to(dtype))
        return {"features": features[0], "logits": logits}

    single, double = run(torch.float32), run(torch.float64)
    write("resnet20", {"images": images}, {key: (single[key], double[key]) for key in double}, lambda key, value: value,
          {"implementation": "github.com/akamaster/pytorch_resnet_cifar10, resnet.py",
           "weights": "models/features/resnet20-cifar10.safetensors"})


def inception_shapes(network):
    return {name: list(tensor.shape) for name, tensor in network.state_dict().items() if "num_batches" not in name}


def inception_weights(network):
    """For every tensor of the state_dict; scaled so that activations stay near 1. tests/metrics repeats it."""
    tensors = {}
    for name, shape in inception_shapes(network).items():
        kind = name.rsplit(".", 1)[1]
        u = uniform(name, math.prod(shape))
        if kind == "weight" and len(shape) > 1:
            u = np.float32(math.sqrt(6 / math.prod(shape[1:]))) * u
        elif kind == "weight":
            u = np.float32(1) + np.float32(0.25) * u
        elif kind == "running_var":
            u = np.float32(1) + np.float32(0.5) * u
        else:
            u = np.float32(0.25) * u
        tensors[name] = torch.from_numpy(u).view(shape)
    return tensors


def torch_fidelity(source):
    """FeatureExtractorInceptionV3, without what else the package imports, and with the weights of inception_weights."""
    package = types.ModuleType("torch_fidelity")
    package.__path__ = [str(source / "torch_fidelity")]
    sys.modules["torch_fidelity"] = package
    from torch_fidelity import feature_extractor_inceptionv3 as module

    class Extractor(module.FeatureExtractorInceptionV3):
        def load_state_dict(self, downloaded):
            super().load_state_dict(inception_weights(self), strict=False)  # without num_batches_tracked

    module.load_state_dict_from_url = lambda *args, **kwargs: None
    return Extractor


def inception(source):
    Extractor = torch_fidelity(source)
    images = pictures("inception", 2, 32)

    def run(dtype):
        network = Extractor("inception", ["2048", "logits_unbiased"]).to(dtype)
        network.feature_extractor_internal_dtype = dtype  # torch-fidelity 0.4.0 takes "float64" for float32
        layers = {}
        for name, child in network.named_children():
            if name not in ("AvgPool", "fc"):
                child.register_forward_hook(lambda m, inputs, output, name=name: layers.update({name: output.clone()}))
        network.Conv2d_1a_3x3.register_forward_pre_hook(lambda m, inputs: layers.update({"input": inputs[0].clone()}))
        with torch.no_grad():
            layers["features"], layers["logits"] = network(images)
            if dtype == torch.float64:  # the extractor rounds its outputs to float32
                layers["features"] = F.adaptive_avg_pool2d(layers["Mixed_7c"], 1).flatten(1)
                layers["logits"] = layers["features"] @ network.fc.weight.T
        return layers

    single, double = run(torch.float32), run(torch.float64)
    shapes = inception_shapes(Extractor("inception", ["2048"]))
    whole = ("features", "logits")
    write("inception", {"images": images}, {key: (single[key], double[key]) for key in double},
          lambda key, value: value if key in whole else sampled(value),
          {"implementation": "torch-fidelity " + (source / "torch_fidelity" / "version.py").read_text().split('"')[1],
           "weights": "a function of name and index: inception_weights() in make_metrics.py",
           "samples": SAMPLES, "layers": [key for key in double if key not in whole],
           "tensors": shapes})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("network", choices=("resnet20", "inception"))
    parser.add_argument("--source", type=pathlib.Path, required=True)
    args = parser.parse_args()
    {"resnet20": resnet20, "inception": inception}[args.network](args.source)


if __name__ == "__main__":
    main()
