"""Training, distillation and resuming."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn
from typing_extensions import Unpack

from halfstep import _halfstep
from halfstep._data import Dataset, open_data
from halfstep._errors import ConfigError
from halfstep._events import Callback, Observer
from halfstep._from_module import from_module
from halfstep._model import Model, PathLike, load
from halfstep._module import prepare
from halfstep._options import DistillOptions, TrainOptions
from halfstep._spec import Spec

_MOST_GRID_IMAGES = 4096


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        folder: of the run; None in processes of a shared run other than that of rank 0.
        model_file: of the last stage; None likewise.
    """

    folder: Path | None
    model_file: Path | None
    _module: nn.Module | None = field(default=None, repr=False)

    @cached_property
    def model(self) -> Model:
        """The model of the last stage, loaded from its file.

        Raises ConfigError in processes of a shared run other than that of rank 0.
        """
        if self.model_file is None:
            raise ConfigError("[run] model: expected the process of rank 0, received another one")
        return load(self.model_file, module=self._module)


def train(
    data: PathLike | Dataset,
    *,
    config: PathLike = "small",
    conditional: bool | None = None,
    init: Model | PathLike | None = None,
    outdir: PathLike = "runs",
    image_size: int | None = None,
    skip_broken: bool = False,
    features: PathLike | None = None,
    device: torch.device | str = "cpu",
    threads: int | None = None,
    grid_images: int = 64,
    progress: bool = True,
    callback: Callback | None = None,
    **options: Unpack[TrainOptions],
) -> Run:
    """Trains a model from data: `halfstep train`, with the same result to the bit.

    Args:
        data: path of a data set, or a map-style data set (`Dataset`).
        config: built-in configuration or JSON file; `options` override its values.
        conditional: train the model on the classes of the data set; None: as the configuration
            says.
        init: start from the weights of this model, which must have the same network.
        outdir: the run makes a folder of its own inside.
        image_size, skip_broken: crop and resize images to this many pixels; leave out images that
            cannot be decoded. For paths only.
        features: with evaluate_every: the file of the feature network.
        device: where to compute; processes of torchrun take a GPU each.
        threads: on the CPU; None: torch's present number.
        grid_images: images in the samples.png of each finished stage.
        progress: show a progress bar.
        callback: called with every event of the run: Begin, Message, Update, Snapshot, StageEnd. An
            exception that it raises ends the run, whose state is saved.
        options: the flags of `halfstep train`, with their defaults; docs/cli.md describes them.

    Raises:
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with the state saved; `resume` continues.
        ConfigError: if settings, data set and model do not fit together.
        IoError, FormatError: if a file cannot be read or written, or is damaged.
        TrainingError: with the state saved, if too many updates in a row were not finite.
        PeerError: with the state saved, if another process ended or was lost.
    """
    return _execute(
        lambda arguments: _halfstep.train(
            str(config),
            conditional,
            _json_of(options, "train"),
            open_data(data, image_size, skip_broken),
            _source(init),
            arguments,
        ),
        outdir=outdir,
        features=features,
        device=device,
        threads=threads,
        grid_images=grid_images,
        progress=progress,
        callback=callback,
    )


def distill(
    teacher: Model | PathLike | nn.Module,
    data: PathLike | Dataset,
    *,
    spec: Spec | None = None,
    config: PathLike = "small",
    init: Model | PathLike | None = None,
    outdir: PathLike = "runs",
    image_size: int | None = None,
    skip_broken: bool = False,
    features: PathLike | None = None,
    device: torch.device | str = "cpu",
    threads: int | None = None,
    grid_images: int = 64,
    progress: bool = True,
    callback: Callback | None = None,
    **options: Unpack[DistillOptions],
) -> Run:
    """Distils a model to fewer sampling steps: `halfstep distill`, with the same result to the bit.

    Args:
        teacher: the model to distil, its path, or a module of PyTorch as `from_module` takes it,
            which does not change: the students are copies of it.
        spec: what the module is; None: its attribute `spec`, which the modules of `adapt` have.
        data: path of a data set, or a map-style data set (`Dataset`).
        config: built-in configuration or JSON file, of which only the distillation settings are
            used; `options` override its values.
        init: start from this existing student instead of a copy of the teacher, by moment matching
            or method="direct".
        options: the flags of `halfstep distill`, with their defaults; docs/cli.md describes them.

    The other arguments, and the exceptions, are those of `train`. TrainingError is also raised if a
    stage diverged and on_divergence is "stop".
    """
    module: nn.Module | None = None
    if isinstance(teacher, nn.Module):
        module = teacher
        teacher = _model_of(module, spec)
    elif spec is not None:
        raise ConfigError(
            "[distill] spec: expected none, because the teacher is no module, received one"
        )
    classes = teacher.spec.num_classes if isinstance(teacher, Model) else 0
    return _execute(
        lambda arguments: _halfstep.distill(
            _source(teacher),
            str(config),
            _json_of(options, "distill"),
            open_data(data, image_size, skip_broken, classes),
            _source(init),
            arguments,
        ),
        outdir=outdir,
        module=module,
        features=features,
        device=device,
        threads=threads,
        grid_images=grid_images,
        progress=progress,
        callback=callback,
    )


def resume(
    run: PathLike,
    *,
    teacher_factory: Callable[[], nn.Module] | None = None,
    data: PathLike | Dataset | None = None,
    updates: int | None = None,
    features: PathLike | None = None,
    device: torch.device | str = "cpu",
    threads: int | None = None,
    grid_images: int = 64,
    progress: bool = True,
    callback: Callback | None = None,
) -> Run:
    """Continues a run, which ends with the bits that it would have had without the interruption.

    Args:
        run: its folder.
        teacher_factory: returns the module of a run that distils a module, with any weights.
            Everything but its trained parameters, such as buffers, must be as it was. Required for
            these runs.
        data: the data set; None: where it was. Required if it was in memory.
        updates: new total number of updates, for training at a constant learning rate.
        threads: None: the number that the run started with.

    The other arguments, and the exceptions, are those of `train`.
    """
    module = teacher_factory() if teacher_factory else None
    return _execute(
        lambda arguments: _halfstep.resume(
            run, updates, None if data is None else open_data(data, None, False), arguments
        ),
        outdir="",
        module=module,
        features=features,
        device=device,
        threads=threads,
        grid_images=grid_images,
        progress=progress,
        callback=callback,
    )


def _execute(
    call: Callable[[_halfstep.RunArguments], _halfstep.RunResult],
    *,
    outdir: PathLike,
    features: PathLike | None,
    device: torch.device | str,
    threads: int | None,
    grid_images: int,
    progress: bool,
    callback: Callback | None,
    module: nn.Module | None = None,
) -> Run:
    if not 0 <= grid_images <= _MOST_GRID_IMAGES:
        raise ConfigError(
            f"[run] grid_images: expected 0 to {_MOST_GRID_IMAGES}, received {grid_images}"
        )
    observer = Observer(progress, callback)
    arguments = _halfstep.RunArguments()
    arguments.outdir = outdir
    arguments.device = torch.device(device)
    arguments.threads = threads
    arguments.features = features
    arguments.grid_images = grid_images
    arguments.command = shlex.join(["python", *sys.argv])
    arguments.handles_signals = threading.current_thread() is threading.main_thread()
    arguments.observer = observer
    arguments.make = None if module is None else lambda: prepare(module)
    try:
        result = call(arguments)
    finally:
        observer.close()
    folder = Path(result.folder) if str(result.folder) not in ("", ".") else None
    if not result.finished:
        raise KeyboardInterrupt(f"the state is saved; halfstep.resume({str(folder)!r}) continues")
    return Run(folder, None if folder is None else Path(result.model_file), module)


def _model_of(module: nn.Module, spec: Spec | None) -> Model:
    spec = spec if spec is not None else getattr(module, "spec", None)
    if not isinstance(spec, Spec):
        raise ConfigError(
            "[distill] spec: expected what the module is, such as"
            f" halfstep.Spec(shape=(3, 32, 32), output='v'), received {spec!r}"
        )
    return from_module(module, spec)


def _source(model: Model | PathLike | None) -> Any:
    """Returns a model as the extension module takes it: in memory or as a path."""
    return model._model if isinstance(model, Model) else model


def _json_of(options: Any, where: str) -> str:
    """Returns options as JSON, without those that are None."""
    given = {name: value for name, value in options.items() if value is not None}
    for name, value in given.items():
        if not isinstance(value, bool | int | float | str):
            raise ConfigError(
                f"[{where}] {name}: expected a number, a text, True or False,"
                f" received {type(value).__name__}"
            )
    return json.dumps(given)
