"""What a run will need, before it starts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from halfstep import _halfstep


@dataclass(frozen=True)
class Stage:
    """A stage of a run that was planned.

    Attributes:
        name: such as "8 -> 4 steps".
        num_steps: sampling steps of its student; 0: any.
        updates: number of updates.
    """

    name: str
    num_steps: int
    updates: int


@dataclass(frozen=True)
class Plan:
    """What a run will need: what train and distill return with dry_run=True.

    Attributes:
        options: all settings of the run, as in its options.json.
        stages: its stages.
        parameters: number of parameters of the network.
        updates, images: of all stages.
        flops: floating-point operations of all updates; None for modules, whose cost is unknown.
        memory: bytes in addition to the program and its libraries; for modules, without what they
            keep for the backward pass.
        disk: bytes.
        seconds: estimated from the time of single updates on this machine.
    """

    options: Mapping[str, Any] = field(repr=False)
    stages: tuple[Stage, ...]
    parameters: int
    updates: int
    images: int
    flops: float | None
    memory: float
    disk: float
    seconds: float


def plan_of(plan: _halfstep.Plan) -> Plan:
    """Returns the plan that the extension module made."""
    forecast = plan.forecast
    return Plan(
        options=json.loads(plan.options),
        stages=tuple(Stage(one.name, one.num_steps, one.updates) for one in forecast.stages),
        parameters=forecast.parameters,
        updates=forecast.updates,
        images=forecast.images,
        flops=forecast.flops,
        memory=forecast.memory,
        disk=forecast.disk,
        seconds=forecast.seconds,
    )
