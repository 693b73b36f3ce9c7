"""The exceptions of halfstep: `[where] what: expected ..., received ...; what to do`, one line."""

import re


class Error(Exception):
    """The base class of all errors of halfstep."""


class ConfigError(Error, ValueError):
    """The caller asked for something impossible: a wrong option, shape or combination of them."""


class FormatError(Error, ValueError):
    """A file is not what it should be: truncated, damaged, or of another format or version."""


class IoError(Error, OSError):
    """The operating system refused: a missing file, a full disk, no permission."""


class NotFiniteError(Error, ArithmeticError):
    """A prediction of the model was infinite or not a number."""


class TrainingError(Error):
    """Training failed: too many updates in a row were not finite, or a stage diverged and
    on_divergence is "stop". The state before is saved.
    """


class PeerError(IoError):
    """Another process of the run ended or was lost. The state of the last update is saved."""


def in_python(message: str) -> str:
    """Returns a message of the library with its flags as keyword arguments: "use force_steps"."""
    return re.sub(r"(?<= )--([a-z][a-z-]*)", lambda flag: flag[1].replace("-", "_"), message)
