"""The arguments of train, distill and resume. All are optional."""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import nn

from halfstep._events import Callback
from halfstep._model import Model, PathLike
from halfstep._options import DistillOptions, TrainOptions
from halfstep._spec import Spec


class RunArguments(TypedDict, total=False):
    """What every run can be told, also one that is resumed."""

    features: PathLike | None
    """With evaluate_every: the file of the feature network."""

    device: torch.device | str
    """Where to compute (default: the CPU); processes of torchrun take a GPU each."""

    threads: int | None
    """On the CPU (default: torch's present number)."""

    grid_images: int
    """Images in the samples.png of each finished stage (default: 64)."""

    progress: bool
    """Show a progress bar (default: True)."""

    callback: Callback | None
    """Called with every event of the run: Begin, Message, Update, Snapshot, StageEnd. An exception
    that it raises ends the run, whose state is saved.
    """


class NewRunArguments(RunArguments, total=False):
    """What a run can be told that begins."""

    config: PathLike
    """Built-in configuration or JSON file (default: "small"); options override its values."""

    init: Model | PathLike | nn.Module | None
    """Model to start from."""

    outdir: PathLike
    """The run makes a folder of its own inside (default: "runs")."""

    image_size: int | None
    """Crop and resize images to this many pixels. For paths only."""

    skip_broken: bool
    """Leave out images that cannot be decoded (default: False). For paths only."""

    budget: str | None
    """Multiply all numbers of updates so that the run takes about this time, such as "30m",
    estimated from single updates on this machine.
    """


class TrainArguments(NewRunArguments, TrainOptions, total=False):
    """Arguments of `train`."""

    conditional: bool | None
    """Train the model on the classes of the data set (default: as the configuration says)."""

    condition: str | None
    """Train the model to restore images: "super-resolution:4", "inpainting" or "colour" (default:
    as the configuration says, none).
    """


class DistillArguments(NewRunArguments, DistillOptions, total=False):
    """Arguments of `distill`."""

    spec: Spec | None
    """What a module is (default: its attribute `spec`, which the modules of `adapt` have)."""
