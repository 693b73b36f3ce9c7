#!/usr/bin/env python3
"""Writes tests/golden/metrics_distances.safetensors: the results of public packages for given features.

    pip install torch numpy scipy safetensors pytorch-fid torch-fidelity --no-deps ...
    python tests/metrics/make_distances.py

Fréchet distance by pytorch-fid 0.3.0 (its matrix square root) and torch-fidelity 0.4.0; KID, Inception Score and
precision and recall by torch-fidelity. Subsets and permutations are those that the packages draw. Both packages import
torchvision and tqdm, but not for the functions used here; empty modules replace them if they are missing.
"""
import importlib
import pathlib
import sys
import types

import numpy as np
import torch
from safetensors.numpy import save_file



class StandIn(types.ModuleType):
    """An empty module. Every attribute is another one, or an empty class if its name is capitalised."""

    __path__ = []

    def __getattr__(self, name):
        return type(name, (), {}) if name[0].isupper() else StandIn(name)


for name in ("torchvision", "torchvision.transforms", "torchvision.models", "torchvision.datasets",
             "torchvision.transforms.functional", "PIL", "PIL.Image"):
    try:
        importlib.import_module(name)
    except Exception:
        sys.modules[name] = StandIn(name)

from pytorch_fid.fid_score import calculate_frechet_distance  # noqa: E402
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric  # noqa: E402
from torch_fidelity.metric_isc import isc_features_to_metric  # noqa: E402
from torch_fidelity.metric_kid import kid_features_to_metric  # noqa: E402
from torch_fidelity.metric_prc import prc_features_to_metric  # noqa: E402

D, N, M, CLASSES = 32, 192, 160, 10
SUBSETS, SIZE, SPLITS = 12, 100, 5


def features(rng, count, shift):
    """Returns correlated, skewed, non-negative features, as after a ReLU and a mean."""
    mix = np.random.default_rng(7).normal(size=(D, D)) / np.sqrt(D)
    return np.abs(rng.normal(size=(count, D)) @ mix + shift).astype(np.float32)


def main():
    rng = np.random.default_rng(1)
    x, y = features(rng, N, 0.2), features(rng, M, 0.5)
    logits = (2.0 * rng.normal(size=(N, CLASSES))).astype(np.float32)

    # pytorch-fid's float64 moments
    stats = [fid_features_to_statistics(torch.from_numpy(f.astype(np.float64))) for f in (x, y)]
    golden = {
        "x": x,
        "y": y,
        "logits": logits,
        "x_mu": stats[0]["mu"],
        "x_sigma": stats[0]["sigma"],
        "frechet_pytorch_fid": calculate_frechet_distance(
            stats[0]["mu"], stats[0]["sigma"], stats[1]["mu"], stats[1]["sigma"]),
        "frechet_torch_fidelity": fid_statistics_to_metric(*stats, False)["frechet_inception_distance"],
    }

    draws = np.random.RandomState(2020)  # the draws of kid_features_to_metric
    subsets = [(draws.choice(N, SIZE, replace=False), draws.choice(M, SIZE, replace=False)) for _ in range(SUBSETS)]
    kid = kid_features_to_metric(torch.from_numpy(x).double(), torch.from_numpy(y).double(), kid_subsets=SUBSETS,
                                 kid_subset_size=SIZE, rng_seed=2020, verbose=False)
    golden |= {
        "kid_x": np.stack([s[0] for s in subsets]),
        "kid_y": np.stack([s[1] for s in subsets]),
        "kid": [kid["kernel_inception_distance_mean"], kid["kernel_inception_distance_std"]],
    }

    score = isc_features_to_metric(torch.from_numpy(logits), SPLITS, True, 2020)
    golden |= {
        "is_order": np.random.RandomState(2020).permutation(N),
        "is": [score["inception_score_mean"], score["inception_score_std"]],
    }

    pr = prc_features_to_metric(torch.from_numpy(x).double(), torch.from_numpy(y).double(), prc_neighborhood=3,
                                prc_batch_size=10000, save_cpu_ram=False, verbose=False)
    golden["pr"] = [pr["precision"], pr["recall"]]

    arrays = {k: np.ascontiguousarray(np.asarray(v)) for k, v in golden.items()}
    save_file(arrays, pathlib.Path(__file__).parent.parent / "golden" / "metrics_distances.safetensors",
              {"made_by": "tests/metrics/make_distances.py"})
    for key in ("frechet_pytorch_fid", "frechet_torch_fidelity", "kid", "is", "pr"):
        print(key, arrays[key])


if __name__ == "__main__":
    main()
