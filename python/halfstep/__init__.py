"""Distils diffusion models to few sampling steps.

    import halfstep

    model = halfstep.load("models/fashion-4-steps")
    images = model.sample(seeds=range(16), class_labels="Bag")  # torch.uint8 [16, 1, 28, 28]

See docs/python.md.
"""

from halfstep._build import TORCH_VERSION


def _require_torch() -> None:
    """Raises ImportError unless the torch that the extension module was built for can be loaded."""
    expected = ".".join(TORCH_VERSION.split(".")[:2])
    advice = "install that torch, or install halfstep again from its source"
    try:
        import torch
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        message = f"[halfstep] torch: expected torch {expected}, received none; {advice}"
        raise ImportError(message, name="torch") from None
    found = str(torch.__version__)
    if found.split(".")[:2] != expected.split("."):
        message = f"[halfstep] torch: expected torch {expected}, received {found}; {advice}"
        raise ImportError(message, name="torch")


_require_torch()

# The extension module finds LibTorch in the process, where torch has loaded it.
from halfstep._errors import (  # noqa: E402
    ConfigError,
    Error,
    FormatError,
    IoError,
    NotFiniteError,
    PeerError,
    TrainingError,
)
from halfstep._halfstep import __version__  # noqa: E402
from halfstep._model import Model, Prediction, load  # noqa: E402
from halfstep._spec import (  # noqa: E402
    CosineSchedule,
    LinearBetaSchedule,
    Spec,
    TableSchedule,
)

__all__ = [
    "ConfigError",
    "CosineSchedule",
    "Error",
    "FormatError",
    "IoError",
    "LinearBetaSchedule",
    "Model",
    "NotFiniteError",
    "PeerError",
    "Prediction",
    "Spec",
    "TableSchedule",
    "TrainingError",
    "__version__",
    "load",
]
