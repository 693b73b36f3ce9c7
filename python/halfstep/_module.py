"""Modules of PyTorch as networks of halfstep."""

from __future__ import annotations

import copy
import warnings

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.dropout import _DropoutNd

from halfstep._errors import ConfigError


class Module:
    """A module as the extension module calls it: a copy, in evaluation mode.

    Its trained parameters are those that require a gradient. Everything else, buffers and other
    parameters, counts as code.
    """

    def __init__(self, module: nn.Module, trained: list[str]) -> None:
        self.code = code_of(module)
        self._module = module
        self._trained = trained
        self._sizes: set[int] = set()

    def parameters(self) -> list[tuple[str, nn.Parameter]]:
        """Returns the trained parameters by name."""
        parameters = dict(self._module.named_parameters())
        return [(name, parameters[name]) for name in self._trained]

    def forward(
        self,
        z: torch.Tensor,
        logsnr: torch.Tensor,
        labels: torch.Tensor | None,
        condition: torch.Tensor | None,
    ) -> torch.Tensor:
        """Calls the module. Raises ConfigError if it draws random numbers.

        They may be drawn at some batch sizes only, so the first call of each is watched.
        """
        positional = (z, logsnr) if labels is None else (z, logsnr, labels)
        named = {} if condition is None else {"condition": condition}
        if len(z) in self._sizes:
            return self._call(positional, named)
        before = _random_state(z.device)
        raw = self._call(positional, named)
        if not torch.equal(_random_state(z.device), before):
            raise ConfigError(
                f"[{self.code}] forward: expected no random numbers, because a call"
                " must depend on its arguments only, received a module that draws some"
            )
        self._sizes.add(len(z))
        return raw

    def _call(
        self, positional: tuple[torch.Tensor, ...], named: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        raw = self._module(*positional, **named)
        if not isinstance(raw, torch.Tensor):
            raise ConfigError(
                f"[{self.code}] forward: expected a tensor, received {type(raw).__name__}"
            )
        return raw

    def buffers(self) -> list[torch.Tensor]:
        """Returns the buffers."""
        return list(self._module.buffers())

    def clone(self) -> Module:
        """Returns a deep copy, without gradients."""
        return Module(_copy(self._module), self._trained)

    def to(self, device: torch.device) -> None:
        """Moves parameters and buffers."""
        self._module.to(device)


def code_of(module: nn.Module) -> str:
    """Returns what messages and files call the code of a module."""
    kind = type(module)
    return f"Python module {kind.__module__}.{kind.__qualname__}"


def warn_of_dropout(module: nn.Module) -> None:
    """Warns of dropout that evaluation mode turns off."""
    dropouts = [
        name
        for name, part in module.named_modules()
        if isinstance(part, _DropoutNd) and part.training and part.p > 0
    ]
    if dropouts:
        warnings.warn(
            f"{code_of(module)}: put in evaluation mode, because dropout draws random numbers"
            f" ({', '.join(dropouts[:3])}{', ...' if len(dropouts) > 3 else ''})",
            stacklevel=4,
        )


def prepare(module: nn.Module) -> Module:
    """Returns a copy of the module to be called by halfstep, which leaves the module itself alone.

    Raises ConfigError for batch norm that would compute with the statistics of a batch, and for
    parameters that cannot be trained.
    """
    _require_no_batch_statistics(module)
    trained = _trained_parameters(module)
    own = _copy(module)
    own.eval()
    own.requires_grad_(False)
    return Module(own, trained)


def _copy(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module)
    except Exception as error:
        raise ConfigError(
            f"[{code_of(module)}] expected a module that copy.deepcopy copies,"
            f" received {type(error).__name__}: {error}"
        ) from error


def _require_no_batch_statistics(module: nn.Module) -> None:
    for name, part in module.named_modules():
        if isinstance(part, _BatchNorm) and (part.training or part.running_mean is None):
            raise ConfigError(
                f"[{code_of(module)}] {name}: expected batch norm in evaluation mode, with running"
                " statistics, because the output for an example must not depend on the others of"
                " its batch, received one in training mode; call module.eval(), or use group norm"
            )


def _trained_parameters(module: nn.Module) -> list[str]:
    where = code_of(module)
    trained = []
    owners: dict[int, str] = {}
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.dtype != torch.float32:
            raise ConfigError(
                f"[{where}] {name}: expected a parameter of float32, received {parameter.dtype}"
            )
        if not parameter.isfinite().all():
            raise ConfigError(f"[{where}] {name}: expected finite numbers, received inf or nan")
        owner = owners.setdefault(parameter.untyped_storage().data_ptr(), name)
        if owner != name:
            raise ConfigError(
                f"[{where}] {name}: expected memory of its own, received that of {owner}"
            )
        trained.append(name)
    if not trained:
        raise ConfigError(
            f"[{where}] expected parameters that require a gradient, received none;"
            " call requires_grad_(True)"
        )
    return trained


def _random_state(device: torch.device) -> torch.Tensor:
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
