"""The extension module; python/bindings implements it. Use the functions of halfstep instead."""

import os
import pathlib
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
    input: torch.Tensor | None
    mask: torch.Tensor | None
    degrade: bool

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
        condition: torch.Tensor | None,
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
    path: str | os.PathLike[str],
    device: torch.device,
    precision: str,
    config: str | None,
    make: Callable[[], object] | None,
) -> tuple[Model, list[str]]: ...
def external_model(module: object, spec: str) -> Model: ...

class Dataset:
    def __init__(self, examples: object) -> None: ...

class Data:
    source: str | os.PathLike[str] | Dataset
    image_size: int | None
    skip_broken: bool

class RunArguments:
    outdir: str | os.PathLike[str]
    device: torch.device
    threads: int | None
    features: str | os.PathLike[str] | None
    grid_images: int
    budget: str | None
    dry_run: bool
    command: str
    handles_signals: bool
    observer: object
    make: Callable[[], object] | None

class RunResult:
    @property
    def finished(self) -> bool: ...
    @property
    def folder(self) -> pathlib.Path: ...
    @property
    def model_file(self) -> pathlib.Path: ...

class Stage:
    name: str
    num_steps: int
    updates: int

class Forecast:
    stages: list[Stage]
    parameters: int
    updates: int
    images: int
    flops: float | None
    memory: float
    disk: float
    seconds: float

class Plan:
    options: str
    forecast: Forecast

class OptionText:
    name: str
    type: str
    help: str

def train(
    config: str,
    conditional: bool | None,
    condition: str | None,
    options: str,
    data: Data,
    init: Model | str | os.PathLike[str] | None,
    arguments: RunArguments,
) -> RunResult | Plan: ...
def distill(
    teacher: Model | str | os.PathLike[str],
    config: str,
    options: str,
    data: Data,
    init: Model | str | os.PathLike[str] | None,
    arguments: RunArguments,
) -> RunResult | Plan: ...
def resume(
    run: str | os.PathLike[str],
    updates: int | None,
    data: Data | None,
    arguments: RunArguments,
) -> RunResult: ...
def train_options() -> list[OptionText]: ...
def distill_options() -> list[OptionText]: ...
