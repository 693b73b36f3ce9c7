"""What a run reports: events for the callback, and a progress bar."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from halfstep import _halfstep
from halfstep._model import Model


@dataclass(frozen=True)
class Begin:
    """The run starts in `folder`, or continues there after `total_updates` updates."""

    folder: Path
    total_updates: int


@dataclass(frozen=True)
class Message:
    """A line of the run's log.txt."""

    text: str


@dataclass(frozen=True)
class Update:
    """An update was made.

    Attributes:
        stage, num_stages: which stage, from 0, of how many.
        stage_name: such as "8 -> 4 steps".
        num_steps: sampling steps of this stage's student; 0: any.
        update, updates: updates done in this stage, and all of them.
        loss, grad_norm: of this update; the norm is that before clipping.
        lr: learning rate.
        skipped: updates of the run so far that were not finite, and changed nothing.
        images_per_second: mean over the last updates.
        seconds_left: estimate for the whole run.
        distance: Fréchet distance of the evaluation after this update; None if there was none.
    """

    stage: int
    num_stages: int
    stage_name: str
    num_steps: int
    update: int
    updates: int
    loss: float
    grad_norm: float
    lr: float
    skipped: int
    images_per_second: float
    seconds_left: float
    distance: float | None


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of the unfinished stage was saved in `folder`, after `total_updates` updates."""

    folder: Path
    model: Model
    total_updates: int


@dataclass(frozen=True)
class StageEnd:
    """A stage has finished, and its model is saved in `folder`."""

    folder: Path
    model: Model


Event: TypeAlias = Begin | Message | Update | Snapshot | StageEnd
Callback: TypeAlias = Callable[[Event], object]


class Observer:
    """Receives what a run reports, and passes it to the progress bar and the callback."""

    def __init__(self, progress: bool, callback: Callback | None) -> None:
        self._bar = _ProgressBar() if progress else None
        self._callback = callback

    def _tell(self, event: Event) -> None:
        if self._bar:
            self._bar.show(event)
        if self._callback:
            self._callback(event)

    def on_begin(self, folder: Path, total_updates: int) -> None:
        self._tell(Begin(folder, total_updates))

    def on_message(self, text: str) -> None:
        self._tell(Message(text))

    def on_update(self, **fields: Any) -> None:
        self._tell(Update(**fields))

    def on_snapshot(self, folder: Path, model: _halfstep.Model, total_updates: int) -> None:
        self._tell(Snapshot(folder, Model(model), total_updates))

    def on_stage_end(self, folder: Path, model: _halfstep.Model) -> None:
        self._tell(StageEnd(folder, Model(model)))

    def close(self) -> None:
        if self._bar:
            self._bar.close()


class _ProgressBar:
    """A bar of tqdm for each stage, and the messages of the run above it."""

    def __init__(self) -> None:
        from tqdm.auto import tqdm

        self._tqdm = tqdm
        self._bar: Any = None
        self._stage = -1

    def show(self, event: Event) -> None:
        if isinstance(event, Begin):
            self._tqdm.write(f"run {event.folder}", file=sys.stderr)
        elif isinstance(event, Message):
            self._tqdm.write(event.text, file=sys.stderr)
        elif isinstance(event, Update):
            if event.stage != self._stage:
                self.close()
                self._stage = event.stage
                self._bar = self._tqdm(
                    total=event.updates, initial=event.update - 1, desc=event.stage_name
                )
            self._bar.set_postfix(loss=f"{event.loss:.5f}", refresh=False)
            self._bar.update(event.update - self._bar.n)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
