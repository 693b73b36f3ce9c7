"""Distils diffusion models to few sampling steps.

    import halfstep

    model = halfstep.load("models/fashion-4-steps")
    images = model.sample(seeds=range(16), class_labels="Bag")  # torch.uint8 [16, 1, 28, 28]

    run = halfstep.distill("models/fashion-teacher", "fashion-mnist", start_steps=32, end_steps=4)
    student = run.model

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
from halfstep._adapt import Adapted, adapt  # noqa: E402
from halfstep._arguments import DistillArguments, RunArguments, TrainArguments  # noqa: E402
from halfstep._data import Dataset  # noqa: E402
from halfstep._errors import (  # noqa: E402
    ConfigError,
    Error,
    FormatError,
    IoError,
    NotFiniteError,
    PeerError,
    TrainingError,
)
from halfstep._events import (  # noqa: E402
    Begin,
    Event,
    Message,
    Snapshot,
    StageEnd,
    Update,
)
from halfstep._from_module import from_module  # noqa: E402
from halfstep._halfstep import __version__  # noqa: E402
from halfstep._model import Model, Prediction, load  # noqa: E402
from halfstep._options import DistillOptions, TrainOptions  # noqa: E402
from halfstep._plan import Plan, Stage  # noqa: E402
from halfstep._runs import Run, distill, resume, train  # noqa: E402
from halfstep._spec import (  # noqa: E402
    CosineSchedule,
    LinearBetaSchedule,
    Spec,
    TableSchedule,
)

__all__ = [
    "Adapted",
    "Begin",
    "ConfigError",
    "CosineSchedule",
    "Dataset",
    "DistillArguments",
    "DistillOptions",
    "Error",
    "Event",
    "FormatError",
    "IoError",
    "LinearBetaSchedule",
    "Message",
    "Model",
    "NotFiniteError",
    "PeerError",
    "Plan",
    "Prediction",
    "Run",
    "RunArguments",
    "Snapshot",
    "Spec",
    "Stage",
    "StageEnd",
    "TableSchedule",
    "TrainArguments",
    "TrainOptions",
    "TrainingError",
    "Update",
    "__version__",
    "adapt",
    "distill",
    "from_module",
    "load",
    "resume",
    "train",
]
