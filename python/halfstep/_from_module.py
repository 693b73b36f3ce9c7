"""Models whose network is a module of PyTorch."""

from __future__ import annotations

import json

import torch
from torch import nn

from halfstep import _halfstep
from halfstep._errors import ConfigError
from halfstep._model import Model, Prediction
from halfstep._module import Module, prepare, warn_of_dropout
from halfstep._spec import Spec


def from_module(module: nn.Module, spec: Spec) -> Model:
    """Returns a model whose network is a module of PyTorch.

    Args:
        module: `forward(z, logsnr)`, or with classes `forward(z, logsnr, labels)`, returns the raw
            output, [B, C or 2 C, ...], at z, float32 [B, C, ...]; logsnr = -2 log(tan(phi)),
            float32 [B], clamped to [-20, 20]; labels, int64 [B], -1 for no class. If the spec has a
            condition, it is also called with `condition=`, what is known of the images, float32
            [B, K, H, W], zeros where nothing is: for super-resolution the images of low resolution,
            enlarged (K = C), for inpainting the images without the missing pixels and a mask of
            the known ones (K = C + 1), for colour the luma (K = 1). The model has a copy, in
            evaluation mode: the module itself does not change. Its weights are the parameters that
            require a gradient.
        spec: what the module is.

    Raises:
        ConfigError: if the module or the spec is not sound: a shape does not fit, calls with the
            same arguments differ, batch norm is in training mode, there is nothing to train.
    """
    warn_of_dropout(module)
    own = prepare(module)
    network = {
        "type": "external",
        "code": own.code,
        "shape": list(spec.shape),
        "out_channels": spec.shape[0] * (2 if spec.output == "x_and_eps" else 1),
        "images": spec.images,
        "num_classes": spec.num_classes,
    }
    model = Model(_halfstep.external_model(own, json.dumps(spec.to_json(network))))
    _try_out(model, own)
    return model


def _try_out(model: Model, own: Module) -> None:
    """Calls the network with three examples, and with one twice."""
    spec = model.spec
    buffers = [buffer.clone() for buffer in own.buffers()]

    def call(count: int) -> Prediction:
        z = torch.zeros(count, *spec.shape)
        labels = [i % spec.num_classes for i in range(count)] if spec.num_classes > 1 else None
        return model.denoise(z, torch.linspace(-8, 8, count), labels)

    call(3)
    first, second = call(1), call(1)
    if not torch.equal(first.eps.nan_to_num(), second.eps.nan_to_num()):
        raise ConfigError(
            f"[{own.code}] forward: expected two calls with the same arguments to"
            " return the same, received a difference"
        )
    if any(
        not torch.equal(now, before) for now, before in zip(own.buffers(), buffers, strict=True)
    ):
        raise ConfigError(
            f"[{own.code}] forward: expected a call that changes nothing in the"
            " module, received one that changes a buffer"
        )
