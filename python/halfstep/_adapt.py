"""Adapters of modules that were written for other conventions."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import nn

from halfstep._errors import ConfigError
from halfstep._spec import CosineSchedule, LinearBetaSchedule, Output, Schedule, Spec, TableSchedule

Time: TypeAlias = Literal["timestep", "t", "logsnr"]


class Adapted(nn.Module):
    """A module that takes (x, time, labels), as one that takes (z, logsnr, labels).

    Attributes:
        spec: what the adapted module is.
        module: the module.
    """

    nodes: torch.Tensor

    def __init__(self, module: nn.Module, spec: Spec, time: Time, null_label: int) -> None:
        super().__init__()
        self.module = module
        self.spec = spec
        self._time = time
        self._null_label = null_label
        self.register_buffer("nodes", _angles(spec.schedule), persistent=False)

    def forward(
        self,
        z: torch.Tensor,
        logsnr: torch.Tensor,
        labels: torch.Tensor | None = None,
        condition: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Calls the module, and returns the raw output, [B, C or 2 C, ...]."""
        x = z if condition is None else torch.cat([z, condition], dim=1)
        arguments = [x, self._time_of(logsnr)]
        if labels is not None:
            arguments.append(torch.where(labels < 0, self._null_label, labels))
        returned = self.module(*arguments)
        if isinstance(returned, tuple):
            returned = returned[0]
        raw: torch.Tensor = returned if isinstance(returned, torch.Tensor) else returned.sample
        if self.spec.output != "x_and_eps" and raw.shape[1] == 2 * z.shape[1]:
            raw = raw[:, : z.shape[1]]  # the rest is a learned variance
        return raw

    def _time_of(self, logsnr: torch.Tensor) -> torch.Tensor:
        if self._time == "logsnr":
            return logsnr
        phi = torch.atan(torch.exp(-logsnr.double() / 2))
        above = torch.searchsorted(self.nodes, phi).clamp(1, len(self.nodes) - 1)
        low, high = self.nodes[above - 1], self.nodes[above]
        steps = len(self.nodes) - 1
        position = (above - 1 + (phi - low) / (high - low)).clamp(0, steps)
        if self._time == "t":
            return (position / steps).float()
        timestep = (position - 1).clamp(min=0)
        # logsnr is float32: a node is hit up to rounding.
        nearest = timestep.round()
        return torch.where((timestep - nearest).abs() < 1e-3, nearest, timestep).float()


def adapt(
    module: nn.Module,
    *,
    schedule: Schedule,
    shape: tuple[int, ...],
    output: Output = "eps",
    time: Time = "timestep",
    num_classes: int = 0,
    null_label: int | None = None,
    class_names: tuple[str, ...] = (),
    images: bool | None = None,
    condition: str | None = None,
) -> Adapted:
    """Returns a module that takes (x, time) or (x, time, labels) as one that halfstep can call.

    DDPM, DiT and diffusers have such modules. The output may be a tensor, the first of a tuple, or
    an object with `sample`; a learned variance, 2 C channels, is left out.

    Args:
        module: the module, which is called and not copied.
        schedule: its noise schedule.
        shape: shape of an example, channels first.
        output: what it predicts.
        time: what it takes: "timestep", k = 0 to T - 1 of a discrete schedule, as a float, which is
            no integer between two timesteps; "t" in [0, 1]; or "logsnr".
        num_classes: number of classes; with 0 or 1 it is called without labels.
        null_label: the label of no class, as of DiT; None: there is none, and the model cannot be
            guided.
        class_names: one name for each class, or none.
        images: whether examples are images in [-1, 1]; None: if there are 1 or 3 channels.
        condition: what images are restored from, as in `Spec`. What is known of them follows x on
            the channel axis, as in SR3, Palette and the pipelines of diffusers.

    Raises:
        ConfigError: if `time` is "timestep" and the schedule is not discrete.
    """
    if time not in ("timestep", "t", "logsnr"):
        raise ConfigError(f"[adapt] time: expected timestep, t or logsnr, received {time!r}")
    if time == "timestep" and isinstance(schedule, CosineSchedule):
        raise ConfigError(
            "[adapt] time: expected t or logsnr, because a CosineSchedule has no timesteps,"
            " received timestep; a TableSchedule has them"
        )
    spec = Spec(
        shape=tuple(shape),
        output=output,
        schedule=schedule,
        images=len(shape) == 3 and shape[0] in (1, 3) if images is None else images,
        num_classes=num_classes,
        has_null_class=null_label is not None,
        class_names=tuple(class_names),
        condition=condition,
    )
    return Adapted(module, spec, time, -1 if null_label is None else null_label)


def _angles(schedule: Schedule) -> torch.Tensor:
    """Returns the angles between which phi(t) is linear, at equal distances of t."""
    if isinstance(schedule, CosineSchedule):
        low, high = schedule.logsnr_min, schedule.logsnr_max
        if low is None or high is None:
            return torch.tensor([0.0, math.pi / 2], dtype=torch.float64)
        ends = [math.atan(math.exp(-logsnr / 2)) for logsnr in (high, low)]
        return torch.tensor(ends, dtype=torch.float64)
    if isinstance(schedule, LinearBetaSchedule):
        betas = torch.linspace(
            schedule.beta_first, schedule.beta_last, schedule.timesteps, dtype=torch.float64
        )
        schedule = TableSchedule.of_alphas_cumprod((1 - betas).cumprod(0).tolist())
    return torch.tensor([0.0, *schedule.phi], dtype=torch.float64)
