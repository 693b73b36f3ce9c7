"""Models: load, sample, denoise, save."""

from __future__ import annotations

import operator
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple, SupportsIndex, TypeAlias

import torch
from torch import nn

from halfstep import _halfstep
from halfstep._errors import ConfigError, in_python
from halfstep._module import prepare
from halfstep._spec import Precision, Sampler, Spacing, Spec, spec_of_json

PathLike: TypeAlias = str | os.PathLike[str]
ClassLabel: TypeAlias = int | str | None
ClassLabels: TypeAlias = ClassLabel | Sequence[ClassLabel] | torch.Tensor


class Prediction(NamedTuple):
    """Estimates of the x and eps of z = cos(phi) x + sin(phi) eps; each is float32 [B, C, ...]."""

    x: torch.Tensor
    eps: torch.Tensor


class Model:
    """A network and everything that is needed to sample from it.

    Models are immutable and may be used from several threads. Make them with `load`.
    """

    def __init__(self, model: _halfstep.Model) -> None:
        self._model = model

    def __repr__(self) -> str:
        steps = f"{self.spec.num_steps} steps" if self.spec.num_steps else "a teacher"
        shape = " x ".join(map(str, self.spec.shape))
        return f"<halfstep.Model: {steps}, {shape}, {self.precision} on {self.device}>"

    @cached_property
    def spec(self) -> Spec:
        """What the model is, apart from its weights."""
        model = self._model
        return spec_of_json(model.spec, model.shape, model.images, model.num_classes)

    @property
    def device(self) -> torch.device:
        """The device that the model computes on."""
        return self._model.device

    @property
    def precision(self) -> str:
        """The precision of its activations: "fp32" or "bf16"."""
        return self._model.precision

    def to(self, device: torch.device | str, precision: Precision = "auto") -> Model:
        """Returns this model on another device, or computing in another precision.

        Raises ConfigError if the network cannot compute in `precision`.
        """
        return Model(self._model.on(torch.device(device), precision))

    def weights(self) -> dict[str, torch.Tensor]:
        """Returns copies of the weights, float32, by name."""
        return dict(self._model.weights())

    def sample(
        self,
        seeds: Iterable[SupportsIndex],
        steps: int | None = None,
        class_labels: ClassLabels = None,
        guidance: float | None = None,
        sampler: Sampler | None = None,
        noise: torch.Tensor | None = None,
        callback: Callable[[int], object] | None = None,
        *,
        variance: float | None = None,
        spacing: Spacing = "time",
        no_clip: bool = False,
        batch: int = 64,
        force_steps: bool = False,
        input: torch.Tensor | None = None,
        mask: torch.Tensor | None = None,
        degrade: bool = False,
    ) -> torch.Tensor:
        """Draws one example for each seed: the same bits as `halfstep sample`.

        Args:
            seeds: numbers from 0 to 2**64 - 1. The noise and the class of a seed depend on nothing
                else.
            steps: sampling steps; required for a teacher, fixed for a distilled model.
            class_labels: the number or the name of a class for all examples, "none" for no class,
                or a sequence with one of these for each seed, where None is no class. None: a
                random class for each seed.
            guidance: weight of classifier-free guidance; 1 is off. Other weights double the network
                calls, except for a model that was distilled with guidance. None: 1, or the nearest
                that the model takes.
            sampler: None: the one that the model was made for.
            noise: float [N, C, ...] to start from instead of the noise of the seeds.
            callback: called with the number of examples drawn so far after each batch.
            variance: of the ancestral sampler, from 0 to 1; None: the model's.
            spacing: of the steps, uniform in time or in log-SNR.
            no_clip: do not clip predictions of images to [-1, 1] at every step.
            batch: examples for each network call.
            force_steps: allow a distilled model other steps and spacing.
            input: uint8 [N, C, H, W], for a model that restores images: images of low resolution,
                images to fill in, or grey images, one for each seed or one for all. Larger images
                than those of training are restored in tiles.
            mask: uint8 [N, C, H, W], for inpainting: white pixels (128 or more) are filled in. One
                for each seed or one for all.
            degrade: the images of `input` are whole: reduce, mask or grey them as in training.
                The mask of an image is a function of its seed.

        Returns:
            uint8 [N, C, H, W]; for models of other data float32 [N, C, ...], never clipped. On the
            CPU.

        Raises:
            ConfigError: if the arguments do not suit the model.
            NotFiniteError: if a prediction is not finite.
        """
        numbers = _seeds(seeds)
        arguments = _halfstep.SampleArguments()
        labels = self._labels(class_labels, "sample")
        if isinstance(labels, int):
            arguments.class_label = labels
        elif labels is not None:
            _require_length("sample", labels, len(numbers), "seeds")
            arguments.class_labels = labels
        arguments.steps = steps
        arguments.guidance = guidance
        arguments.sampler = sampler
        arguments.variance = variance
        arguments.spacing = spacing
        arguments.no_clip = no_clip
        arguments.batch = batch
        arguments.force_steps = force_steps
        arguments.input = input
        arguments.mask = mask
        arguments.degrade = degrade
        return self._model.sample(numbers, arguments, noise, callback)

    def denoise(
        self,
        z: torch.Tensor,
        logsnr: float | torch.Tensor,
        class_labels: ClassLabels = None,
        guidance: float | None = None,
        condition: torch.Tensor | None = None,
    ) -> Prediction:
        """Predicts the x and eps of z = cos(phi) x + sin(phi) eps. Nothing is clipped.

        Args:
            z: float [B, C, ...].
            logsnr: -2 log(tan(phi)), for all examples or [B].
            class_labels: as for `sample`; None: no class.
            guidance: as for `sample`.
            condition: what is known of the images that the model restores, float [B, K, H, W], as
                `from_module` describes it; None: nothing.

        Returns:
            x and eps, float32 [B, C, ...], on the model's device, without gradients.

        Raises:
            ConfigError: if a shape does not fit, or an argument does not suit the model.
        """
        labels = self._labels(class_labels, "denoise")
        if isinstance(labels, int):
            labels = [labels] * len(z)
        elif labels is not None:
            _require_length("denoise", labels, len(z), "examples")
        levels = torch.as_tensor(logsnr, dtype=torch.float64)
        return Prediction(*self._model.denoise(z, levels, labels, guidance, condition))

    def save(self, path: PathLike) -> None:
        """Writes the model file `path` (.safetensors, or .pt for TorchScript) atomically.

        The same model gives the same bytes, whatever its device and precision. Raises IoError.
        """
        self._model.save(path)

    def save_diffusers(self, folder: PathLike, guidance: float | None = None) -> None:
        """Writes a folder that diffusers loads as a pipeline.

        Args:
            folder: a new or empty folder, or an older export.
            guidance: the weight that becomes part of the weights, for a model that takes it as an
                input.

        Raises:
            ConfigError: if diffusers cannot express the model, or the folder holds other files.
            IoError: if it cannot be written.
        """
        self._model.save_diffusers(folder, guidance)

    def save_onnx(
        self,
        path: PathLike,
        steps: int | None = None,
        guidance: float | None = None,
        *,
        network: bool = False,
    ) -> None:
        """Writes an ONNX file with the whole sampler, atomically; docs/onnx.md describes it.

        Args:
            path: the file.
            steps: sampling steps, 1 to 128; required for a teacher.
            guidance: the weight that becomes part of the file. None: an input where the network
                takes the weight, else that of `sample`.
            network: write one call of the network instead of the sampler.

        Raises:
            ConfigError: if ONNX files cannot hold the model, or the arguments do not suit it.
            IoError: if it cannot be written.
        """
        self._model.save_onnx(path, steps, guidance, network)

    def _labels(self, labels: ClassLabels, where: str) -> int | list[int] | None:
        """Returns the number of the class of all examples, of each, or None."""
        if labels is None:
            return None
        if isinstance(labels, torch.Tensor):
            labels = labels.tolist()
        if isinstance(labels, int | str):
            return self.spec.class_label(labels, where)
        return [self.spec.class_label(label, where) for label in labels]


def load(
    path: PathLike,
    *,
    device: torch.device | str = "cpu",
    precision: Precision = "auto",
    config: str | None = None,
    module: nn.Module | None = None,
) -> Model:
    """Loads a model.

    What the import of another format does not keep is a warning.

    Args:
        path: model.safetensors or model.pt, the folder of either, a run (its newest model), the
            folder of a diffusers pipeline with a UNet2DModel, or a checkpoint of the official code.
            A .pt file contains code: load only those that you trust.
        device: where the model computes.
        precision: of its activations; "auto": bf16 where the device supports it.
        config: configuration that an official checkpoint was trained with: a built-in name, such
            as "cifar10", or a JSON file. Required for these, and for nothing else.
        module: the module of a model that was distilled from a module: a copy of it gets the
            weights of the file. Required for these.

    Raises:
        IoError: if there is no such file.
        FormatError: if the file is no model, or is damaged.
        ConfigError: if the network cannot compute in `precision`, or `config` is missing or
            superfluous.
    """
    make = None if module is None else lambda: prepare(module)
    model, notes = _halfstep.load(path, torch.device(device), precision, config, make)
    for note in notes:
        warnings.warn(in_python(f"{os.fspath(path)}: {note}"), stacklevel=2)
    return Model(model)


def _seeds(seeds: Iterable[SupportsIndex]) -> list[int]:
    if isinstance(seeds, torch.Tensor):
        seeds = seeds.tolist()
    if not isinstance(seeds, Iterable):
        raise ConfigError(
            f"[sample] seeds: expected numbers, such as range(16), received {seeds!r}"
        )
    return [_seed(seed) for seed in seeds]


def _seed(seed: SupportsIndex) -> int:
    number = operator.index(seed) if hasattr(seed, "__index__") else -1
    if 0 <= number < 2**64:
        return number
    raise ConfigError(f"[sample] seeds: expected integers from 0 to 2**64 - 1, received {seed!r}")


def _require_length(where: str, labels: list[int], count: int, what: str) -> None:
    if len(labels) != count:
        raise ConfigError(
            f"[{where}] class_labels: expected one for each of {count} {what},"
            f" received {len(labels)}"
        )
