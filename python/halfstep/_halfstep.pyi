"""The extension module; python/bindings implements it. Use the functions of halfstep instead."""

import os
from collections.abc import Callable

import torch

__version__: str

class SampleArguments:
    class_label: int | None
    class_labels: list[int]
    steps: int | None
    guidance: float | None
    sampler: str | None
    variance: float | None
    spacing: str
    no_clip: bool
    batch: int
    force_steps: bool

class Model:
    @property
    def device(self) -> torch.device: ...
    @property
    def precision(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def shape(self) -> list[int]: ...
    @property
    def images(self) -> bool: ...
    @property
    def num_classes(self) -> int: ...
    def sample(
        self,
        seeds: list[int],
        arguments: SampleArguments,
        noise: torch.Tensor | None,
        callback: Callable[[int], object] | None,
    ) -> torch.Tensor: ...
    def denoise(
        self,
        z: torch.Tensor,
        logsnr: torch.Tensor,
        labels: list[int] | None,
        guidance: float | None,
    ) -> tuple[torch.Tensor, torch.Tensor]: ...
    def on(self, device: torch.device, precision: str) -> Model: ...
    def save(self, path: str | os.PathLike[str]) -> None: ...
    def save_diffusers(self, folder: str | os.PathLike[str], guidance: float | None) -> None: ...
    def save_onnx(
        self,
        path: str | os.PathLike[str],
        steps: int | None,
        guidance: float | None,
        network: bool,
    ) -> None: ...
    def weights(self) -> list[tuple[str, torch.Tensor]]: ...

def load(
    path: str | os.PathLike[str], device: torch.device, precision: str, config: str | None
) -> tuple[Model, list[str]]: ...
