"""The files that the tests of this folder's checks run on."""

import tempfile
from pathlib import Path


def problems(check, files):
    """Returns the problems that check() reports for a folder of these files (path to text)."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check(folder)
