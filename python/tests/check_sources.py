"""Runs ruff and mypy over the Python sources.

check_sources.py [PYTHON]

PYTHON is another Python that may have them. Exits with 77 (skipped) if neither has.
"""

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[2]


def python_with_tools(pythons):
    for python in pythons:
        command = [python, "-c", "import mypy, ruff, torch"]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    return None


def main():
    python = python_with_tools([sys.executable, *sys.argv[1:]])
    if python is None:
        print("skipped: no Python has the packages ruff, mypy and torch")
        return 77
    checks = (["ruff", "check"], ["ruff", "format", "--check"], ["mypy", "-p", "halfstep"])
    return max(subprocess.run([python, "-m", *check], cwd=SOURCE).returncode for check in checks)


if __name__ == "__main__":
    sys.exit(main())
