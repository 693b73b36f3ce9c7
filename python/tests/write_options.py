"""Writes halfstep/_options.py: the options of runs as types, which tools can check and complete.

PYTHONPATH=build/release/python python python/tests/write_options.py

The names, types and texts are those of the library's options. A test checks that the file is
up to date.
"""

import textwrap
from pathlib import Path

TARGET = Path(__file__).parents[1] / "halfstep" / "_options.py"
WIDTH = 100

HEAD = '''"""The options of runs. Written by write_options.py; do not edit."""

from __future__ import annotations

from typing import Literal, TypedDict
'''


def option_lines(option):
    """Returns the lines of one option: its type, and its help as a docstring."""
    declaration = f"    {option.name}: {option.type}"
    if len(declaration) > WIDTH:
        names = option.type.removeprefix("Literal[").removesuffix("]")
        declaration = f"    {option.name}: Literal[\n        {names}\n    ]"
    help_text = textwrap.wrap(option.help.rstrip(".") + ".", WIDTH - 10)
    if len(help_text) == 1:
        return [declaration, f'    """{help_text[0]}"""', ""]
    return [declaration, f'    """{help_text[0]}', *(f"    {line}" for line in help_text[1:]),
            '    """', ""]  # fmt: skip


def class_lines(name, what, options):
    lines = ["", "", f"class {name}(TypedDict, total=False):", f'    """{what}"""', ""]
    for option in options:
        lines += option_lines(option)
    return lines[:-1]


def text():
    """Returns what the file must contain."""
    from halfstep import _halfstep

    lines = class_lines("TrainOptions", "Options of `train`.", _halfstep.train_options())
    lines += class_lines("DistillOptions", "Options of `distill`.", _halfstep.distill_options())
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(text())
