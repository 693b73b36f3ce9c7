#!/usr/bin/env python3
"""Checks the Markdown files of the repository.

    check_markdown.py [SOURCE_DIR]

Reports, one per line:
  - lines of more than 100 characters, except in tables and in ```text blocks, which hold output
    that cannot be wrapped; URLs do not count;
  - relative links and images whose file, or heading in it, does not exist;
  - paths of sources, such as `train/update.cc` or docs/cli.md, that do not exist;
  - tests, such as Angle.LogsnrAndPhiAreInverse, that do not exist. A * stands for any characters.
"""

import re
import subprocess
from pathlib import Path

import command

MAX_COLUMNS = 100
URL = re.compile(r"https?://[^\s)>]+")
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^)\s]+)\)")
# Paths may be relative to any of these folders, or to the document's own.
ROOTS = ("", "src", "src/halfstep", "tests", "docs", "cmake")
PATH = re.compile(r"(?<![\w./<>*$-])((?:[\w.-]+/)+[\w.*-]+"
                  r"\.(?:cc|h|py|sh|md|cmake|txt|json|png|safetensors))\b")
# Only paths that begin with one of these, or C++ sources, claim to be files of this repository.
OWN = ("bench", "cli", "cmake", "configs", "docs", "examples", "models", "src", "tests", "tools")
TEST = re.compile(r"(?<![\w./*])([A-Z][A-Za-z0-9*]+\.(?:[A-Z][A-Za-z0-9*]+|\*))(?!\w|\.\w)")
DEFINED = re.compile(r"TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\)|add_test\(NAME (\w+)\.(\w+)")
CODE_EXTENSIONS = (".cc", ".h", ".txt")


def markdown_files(root):
    """Returns the Markdown files that git does not ignore; all of them where there is no git."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard", "*.md"],
                            capture_output=True, text=True, check=False)
    names = listed.stdout.split("\n") if listed.returncode == 0 else [
        path.relative_to(root).as_posix() for path in Path(root).rglob("*.md")]
    return sorted(name for name in names if name and (Path(root) / name).exists())


def anchors(text):
    """Returns the anchors that GitHub gives the headings of `text`."""
    found = set()
    for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        found.add(re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-"))
    return found


def test_names(root):
    """Returns the names Suite.Name of all tests in C++ and CMake."""
    names = set()
    for path in (Path(root) / "tests").rglob("*"):
        if path.suffix in CODE_EXTENSIONS:
            for match in DEFINED.finditer(path.read_text(errors="replace")):
                names.add(".".join(part for part in match.groups() if part))
    return names


def line_problems(text):
    verbatim = False
    for number, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            verbatim = line.startswith("```text")
        if len(URL.sub("", line)) > MAX_COLUMNS and not verbatim and not line.startswith("|"):
            yield f"{number}: {len(line)} characters, more than {MAX_COLUMNS}"


def link_problems(root, name, text):
    for target in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        if URL.match(target) or target.startswith("mailto:"):
            continue
        file, _, anchor = target.partition("#")
        path = (root / name).parent / file if file else root / name
        if not path.exists():
            yield f"dead link {target}"
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
            yield f"dead link {target}: {path.name} has no such heading"


def path_problems(root, name, text):
    text = URL.sub("", LINK.sub("", text))
    for path in sorted(set(PATH.findall(text))):
        own = path.split("/")[0] in OWN or path.endswith((".cc", ".h"))
        roots = [root / prefix for prefix in ROOTS] + [(root / name).parent]
        if own and not any(any(folder.glob(path)) for folder in roots):
            yield f"there is no {path}"


def test_problems(tests, text):
    if not tests:
        return
    for cited in sorted(set(TEST.findall(text.replace("**", "").replace("\\*", "*")))):
        pattern = re.compile(re.escape(cited).replace(r"\*", r"\w*"))
        if not any(pattern.fullmatch(test) for test in tests):
            yield f"there is no test {cited}"


def check(source_dir):
    """Returns the list of problems, one line each."""
    root = Path(source_dir)
    tests = test_names(root)
    problems = []
    for name in markdown_files(root):
        text = (root / name).read_text()
        problems += [f"{name}:{problem}" for problem in line_problems(text)]
        for found in (link_problems(root, name, text), path_problems(root, name, text),
                      test_problems(tests, text)):
            problems += [f"{name}: {problem}" for problem in found]
    return problems


if __name__ == "__main__":
    command.run(check)
