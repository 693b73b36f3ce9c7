"""Training, distillation and resuming."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, overload

import torch
from torch import nn
from typing_extensions import Unpack

from halfstep import _halfstep
from halfstep._arguments import DistillArguments, NewRunArguments, RunArguments, TrainArguments
from halfstep._data import Dataset, open_data
from halfstep._errors import ConfigError
from halfstep._events import Observer
from halfstep._from_module import from_module
from halfstep._model import Model, PathLike, load
from halfstep._module import prepare
from halfstep._plan import Plan, plan_of
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


@overload
def train(
    data: PathLike | Dataset,
    *,
    dry_run: Literal[True],
    **arguments: Unpack[TrainArguments],
) -> Plan: ...
@overload
def train(
    data: PathLike | Dataset,
    *,
    dry_run: Literal[False] = False,
    **arguments: Unpack[TrainArguments],
) -> Run: ...
def train(
    data: PathLike | Dataset,
    *,
    dry_run: bool = False,
    **arguments: Unpack[TrainArguments],
) -> Run | Plan:
    """Trains a model from data: `halfstep train`, with the same result to the bit.

    Args:
        data: path of a data set, or a map-style data set (`Dataset`).
        dry_run: return what the run will need, and start nothing.
        arguments: those of `TrainArguments`, all optional: how the run computes and reports, and
            the flags of `halfstep train`, with the same names and defaults.

    Raises:
        KeyboardInterrupt: after Ctrl-C or SIGTERM, with the state saved; `resume` continues.
        ConfigError: if settings, data set and model do not fit together.
        IoError, FormatError: if a file cannot be read or written, or is damaged.
        TrainingError: with the state saved, if too many updates in a row were not finite.
        PeerError: with the state saved, if another process ended or was lost.
    """
    init = arguments.get("init")
    if isinstance(init, nn.Module):
        raise ConfigError(
            "[train] init: expected a model or its path, because train makes a network of its own,"
            " received a module"
        )
    source = _source(init)
    return _begin(
        lambda run: _halfstep.train(
            str(arguments.get("config", "small")),
            arguments.get("conditional"),
            arguments.get("condition"),
            _json_of(arguments, "train"),
            _data_of(arguments, data),
            source,
            run,
        ),
        arguments,
        dry_run,
    )


@overload
def distill(
    teacher: Model | PathLike | nn.Module,
    data: PathLike | Dataset,
    *,
    dry_run: Literal[True],
    **arguments: Unpack[DistillArguments],
) -> Plan: ...
@overload
def distill(
    teacher: Model | PathLike | nn.Module,
    data: PathLike | Dataset,
    *,
    dry_run: Literal[False] = False,
    **arguments: Unpack[DistillArguments],
) -> Run: ...
def distill(
    teacher: Model | PathLike | nn.Module,
    data: PathLike | Dataset,
    *,
    dry_run: bool = False,
    **arguments: Unpack[DistillArguments],
) -> Run | Plan:
    """Distils a model to fewer sampling steps: `halfstep distill`, with the same result to the bit.

    Args:
        teacher: the model to distil, its path, or a module of PyTorch as `from_module` takes it,
            which does not change: the students are copies of it.
        data: path of a data set, or a map-style data set (`Dataset`).
        dry_run: return what the run will need, and start nothing.
        arguments: those of `DistillArguments`, as for `train`. Only the distillation settings of
            `config` are used. `init` is an existing student to start from instead of a copy of the
            teacher, by moment matching or method="direct"; as a module, it is what the teacher is.

    The exceptions are those of `train`. TrainingError is also raised if a stage diverged and
    on_divergence is "stop".
    """
    spec, init = arguments.get("spec"), arguments.get("init")
    module: nn.Module | None = None
    if isinstance(teacher, nn.Module):
        module, teacher = teacher, _model_of(teacher, spec)
        spec = teacher.spec
    elif spec is not None:
        raise ConfigError(
            "[distill] spec: expected none, because the teacher is no module, received one"
        )
    if isinstance(init, nn.Module):
        if spec is None:
            raise ConfigError(
                "[distill] init: expected a model or its path, because the teacher is no module,"
                " received a module"
            )
        init = from_module(init, spec)
    source, start = _source(teacher), _source(init)
    classes = teacher.spec.num_classes if isinstance(teacher, Model) else 0
    return _begin(
        lambda run: _halfstep.distill(
            source,
            str(arguments.get("config", "small")),
            _json_of(arguments, "distill"),
            _data_of(arguments, data, classes),
            start,
            run,
        ),
        arguments,
        dry_run,
        module,
    )


def resume(
    run: PathLike,
    *,
    teacher_factory: Callable[[], nn.Module] | None = None,
    data: PathLike | Dataset | None = None,
    updates: int | None = None,
    **arguments: Unpack[RunArguments],
) -> Run:
    """Continues a run, which ends with the bits that it would have had without the interruption.

    Args:
        run: its folder.
        teacher_factory: returns the module of a run that distils a module, with any weights.
            Everything but its trained parameters, such as buffers, must be as it was. Required for
            these runs.
        data: the data set; None: where it was. Required if it was in memory.
        updates: new total number of updates, for training at a constant learning rate.
        arguments: as for `train`, except that the number of threads is by default that which the
            run started with.

    The exceptions are those of `train`.
    """
    unknown = arguments.keys() - RunArguments.__annotations__.keys()
    if unknown:
        raise TypeError(f"resume() got an unexpected keyword argument {min(unknown)!r}")
    module = teacher_factory() if teacher_factory else None
    with _arguments_of(arguments, module) as own:
        opened = None if data is None else open_data(data, None, False)
        return _run_of(_halfstep.resume(run, updates, opened, own), module)


def _begin(
    call: Callable[[_halfstep.RunArguments], _halfstep.RunResult | _halfstep.Plan],
    arguments: NewRunArguments,
    dry_run: bool,
    module: nn.Module | None = None,
) -> Run | Plan:
    """Starts or plans a run of train or distill."""
    with _arguments_of(arguments, module) as own:
        own.outdir = arguments.get("outdir", "runs")
        own.budget = arguments.get("budget")
        own.dry_run = dry_run
        result = call(own)
    if isinstance(result, _halfstep.RunResult):
        return _run_of(result, module)
    return plan_of(result)


@contextmanager
def _arguments_of(
    arguments: RunArguments, module: nn.Module | None
) -> Iterator[_halfstep.RunArguments]:
    """Provides the arguments of every run as the extension module takes them."""
    grid_images = arguments.get("grid_images", 64)
    if not 0 <= grid_images <= _MOST_GRID_IMAGES:
        raise ConfigError(
            f"[run] grid_images: expected 0 to {_MOST_GRID_IMAGES}, received {grid_images}"
        )
    own = _halfstep.RunArguments()
    own.device = torch.device(arguments.get("device", "cpu"))
    own.threads = arguments.get("threads")
    own.features = arguments.get("features")
    own.grid_images = grid_images
    own.command = shlex.join(["python", *sys.argv])
    own.handles_signals = threading.current_thread() is threading.main_thread()
    own.make = None if module is None else lambda: prepare(module)
    observer = Observer(arguments.get("progress", True), arguments.get("callback"))
    own.observer = observer
    try:
        yield own
    finally:
        observer.close()


def _run_of(result: _halfstep.RunResult, module: nn.Module | None) -> Run:
    folder = Path(result.folder) if str(result.folder) not in ("", ".") else None
    if not result.finished:
        raise KeyboardInterrupt(f"the state is saved; halfstep.resume({str(folder)!r}) continues")
    return Run(folder, None if folder is None else Path(result.model_file), module)


def _data_of(
    arguments: NewRunArguments, data: PathLike | Dataset, num_classes: int = 0
) -> _halfstep.Data:
    return open_data(
        data, arguments.get("image_size"), arguments.get("skip_broken", False), num_classes
    )


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


def _json_of(arguments: TrainArguments | DistillArguments, where: str) -> str:
    ours = NewRunArguments.__annotations__.keys() | {"conditional", "condition", "spec"}
    given = {
        name: value for name, value in arguments.items() if name not in ours and value is not None
    }
    for name, value in given.items():
        if not isinstance(value, bool | int | float | str):
            raise ConfigError(
                f"[{where}] {name}: expected a number, a text, True or False,"
                f" received {type(value).__name__}"
            )
    return json.dumps(given)
