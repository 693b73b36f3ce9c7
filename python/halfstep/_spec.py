"""What a model is: its shape, its schedule, what it predicts and how it must be sampled."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, TypeAlias

from halfstep._errors import ConfigError

Output: TypeAlias = Literal["x", "eps", "v", "x_and_eps"]
Sampler: TypeAlias = Literal["ddim", "ancestral", "heun", "dpmpp-2m"]
Spacing: TypeAlias = Literal["time", "logsnr"]
Precision: TypeAlias = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True)
class CosineSchedule:
    """alpha = cos(pi t / 2) (Nichol & Dhariwal 2021; Salimans & Ho 2022).

    Its log-SNR runs between the two bounds; with None for both it is not clipped.
    """

    logsnr_min: float | None = -20.0
    logsnr_max: float | None = 20.0
    type: Literal["cosine"] = field(default="cosine", init=False)


@dataclass(frozen=True)
class LinearBetaSchedule:
    """beta rises linearly from `beta_first` to `beta_last` over `timesteps` (Ho et al. 2020)."""

    timesteps: int = 1000
    beta_first: float = 1e-4
    beta_last: float = 0.02
    type: Literal["linear_beta"] = field(default="linear_beta", init=False)


@dataclass(frozen=True)
class TableSchedule:
    """Any discrete schedule: phi[k], in radians, is the angle of timestep k.

    z = cos(phi) x + sin(phi) eps; the angles increase in (0, pi/2].
    """

    phi: tuple[float, ...]
    type: Literal["table"] = field(default="table", init=False)

    @classmethod
    def of_alphas_cumprod(cls, alphas_cumprod: Iterable[float]) -> TableSchedule:
        """Returns the schedule with cos(phi)^2 = alphas_cumprod, as in diffusers.

        The last may be 0.
        """
        squares = [float(square) for square in alphas_cumprod]
        return cls(tuple(math.atan2(math.sqrt(1 - a), math.sqrt(a)) for a in squares))


Schedule: TypeAlias = CosineSchedule | LinearBetaSchedule | TableSchedule
_SCHEDULES = {"cosine": CosineSchedule, "linear_beta": LinearBetaSchedule, "table": TableSchedule}


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What a model is, apart from its weights.

    Attributes:
        shape: shape of an example, channels first, such as (3, 32, 32).
        output: what the network predicts: x, eps, v = cos(phi) eps - sin(phi) x, or x and eps
            concatenated on the channel axis.
        schedule: the noise schedule.
        images: whether examples are images in [-1, 1], which are clipped while sampling and
            returned as bytes.
        num_classes: number of classes; with 0 or 1 the network takes no labels.
        has_null_class: whether the network also samples without a class, so that it can be guided.
        class_names: one name for each class, or none.
        condition: what images are restored from: "super-resolution:FACTOR", "inpainting" or
            "colour"; None: nothing.
        num_steps: sampling steps that the model was distilled for; 0: any.
        sampler: the sampler that the model was made for.
        variance: variance of the ancestral sampler, from 0 (small) to 1 (large).
        guidance_min, guidance_max: bounds of the guidance weight; None: any. Both are equal in a
            model that was distilled from a teacher guided with this weight.
        network: kind and options of the network, as in its file; of modules, which from_module
            describes, it is not used.
        origin: where the model comes from, as in its file.
    """

    shape: tuple[int, ...]
    output: Output = "v"
    schedule: Schedule = CosineSchedule()
    images: bool = True
    num_classes: int = 0
    has_null_class: bool = False
    class_names: tuple[str, ...] = ()
    condition: str | None = None
    num_steps: int = 0
    sampler: Sampler = "ddim"
    variance: float = 1.0
    guidance_min: float | None = None
    guidance_max: float | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    origin: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self, network: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the spec as it is in model files, with these options of its network."""
        fields = asdict(self)
        for name in ("shape", "images", "num_classes"):  # which the network has
            del fields[name]
        if self.condition is None:
            del fields["condition"]
        return {**fields, "version": 1, "network": dict(network)}

    def class_label(self, label: int | str | None, where: str) -> int:
        """Returns the number of a class, which may be given by name; -1 for None and "none".

        Raises ConfigError, which names `where`, for another name.
        """
        if label is None:
            return -1
        if not isinstance(label, str):
            return int(label)
        if label in self.class_names:
            return self.class_names.index(label)
        if label == "none":
            return -1
        known = f" ({', '.join(self.class_names)})" if self.class_names else ""
        raise ConfigError(
            f'[{where}] class_labels: expected the number or the name of a class{known}, or "none",'
            f" received {label!r}"
        )


def spec_of_json(text: str, shape: list[int], images: bool, num_classes: int) -> Spec:
    """Returns the spec of a model file; what follows from its network is given."""
    fields = json.loads(text)
    schedule = fields.pop("schedule")
    kind = _SCHEDULES[schedule.pop("type")]
    if "phi" in schedule:
        schedule["phi"] = tuple(schedule["phi"])
    fields.pop("version")
    fields["class_names"] = tuple(fields["class_names"])
    return Spec(
        shape=tuple(shape),
        images=images,
        num_classes=num_classes,
        schedule=kind(**schedule),
        **fields,
    )
