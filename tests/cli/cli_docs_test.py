#!/usr/bin/env python3
"""cli_docs_test.py PROGRAM CLI.md: checks that the page documents exactly the flags of the program.

Every command and every flag that `PROGRAM COMMAND --help` lists must be in a table of the page, and
every flag that the page names must exist.

A table row documents the flags in code spans in its first cell. Under the heading `## COMMAND` it
belongs to that command; elsewhere it belongs to every command that has the flag.

The second cell is the default. It must be that of the help: "required", or the value in "[default:
VALUE]". Numbers are compared as numbers. Text after ";" is free, except that "2e-4; distill 1e-4"
also gives the default of distill. "as sample" refers to the row of another command. A row of
several flags has one default for all, or one for each, separated by commas. A flag without a
default in the help may have any text there.
"""

import re
import subprocess
import sys

FLAG = re.compile(r"(?<![\w-])--(?:\[no-\])?[a-z][a-z0-9-]*")
ROW = re.compile(r"\s*\|(.*)\|\s*$")


def help_of(program, *command):
    return subprocess.check_output([program, *command, "--help"], text=True)


def commands_in(text):
    section = text.split("Commands:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\w+)", section, re.MULTILINE)


def flags_in(text):
    """Returns {"--batch": "128"}: the default, "required", or None if there is neither."""
    flags = {}
    entries = re.split(r"^  (?=-|[A-Z])", text, flags=re.MULTILINE)
    for entry in entries[1:]:
        entry = " ".join(re.split(r"\n\n|\n(?=\S)", entry)[0].split())
        name = FLAG.search(entry.split("  ")[0]) if entry.startswith("-") else None
        name = name.group() if name else entry.split()[0]
        default = re.search(r"\[default: ([^\]]*)\]$", entry)
        if entry.endswith("[required]"):
            flags[name] = "required"
        else:
            flags[name] = default.group(1) if default else None
    return flags


def names_of_flag(flag):
    """Returns ["--anneal", "--no-anneal"] for "--[no-]anneal"."""
    if "[no-]" not in flag:
        return [flag]
    return [flag.replace("[no-]", ""), flag.replace("[no-]", "no-")]


def split_cells(row):
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", row)]


def base_flags(names):
    """Leaves out --no-anneal if --anneal is among the names too."""
    return [name for name in names if name.replace("--no-", "--", 1) == name or
            name.replace("--no-", "--", 1) not in names]


class Page:
    """The rows of the tables: {command: {"--batch": "128"}}, with "" for those of all commands."""

    def __init__(self, text, commands):
        self.rows = {name: {} for name in ["", *commands]}
        owner = ""
        for line in text.splitlines():
            if line.startswith("## "):
                owner = line[3:].strip() if line[3:].strip() in commands else ""
            row = ROW.match(line)
            if row:
                self.add_row(split_cells(row.group(1)), self.rows[owner])

    @staticmethod
    def add_row(cells, rows):
        names = []
        for span in re.findall(r"`([^`]*)`", cells[0]):
            names += FLAG.findall(span) or re.findall(r"^[A-Z]+$", span)
        base = base_flags(names)
        default = cells[1].replace("`", "") if len(cells) > 1 else ""
        each = [part.strip() for part in default.split(",")]
        if len(each) != len(base) or len(base) == 1:
            each = [default] * len(base)
        rows.update(zip(base, each))
        rows.update((name, "") for name in names if name not in base)

    def find(self, command, name):
        """Returns the default in the row of a command's flag, or None without a row."""
        for owner in (command, ""):
            default = self.rows[owner].get(name)
            if default is None:
                continue
            other = re.match(r"as (?:for )?(\w+)$", default)
            if other and other.group(1) in self.rows:
                return self.find(other.group(1), name)
            return default
        return None


def same_default(documented, actual, command):
    if actual is None:
        return documented != "required"
    parts = [part.strip() for part in documented.split(";")]
    own = [part[len(command) + 1:] for part in parts if part.startswith(command + " ")]
    value = own[0] if own else parts[0]
    try:
        return float(value) == float(actual)
    except ValueError:
        return value == actual


def check_command(command, flags, page):
    problems = []
    known = set()
    for flag, default in flags.items():
        names = names_of_flag(flag)
        known.update(names)
        documented = page.find(command, names[0])
        if documented is None:
            problems.append(f"{command}: {flag} is in no table of its section")
        elif not same_default(documented, default, command):
            problems.append(
                f"{command}: {flag} has the default {default}, documented as {documented}")
    for name in page.rows[command]:
        if name not in known:
            problems.append(f"{command}: {name} is documented but does not exist")
    return problems


def flags_named(text):
    """Returns the flags of halfstep in the whole page, leaving out commands of other programs."""
    text = re.sub(r"^ +(?!halfstep|--| )\S.*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"`(?!halfstep|--)[a-z]+ [^`]*`", "", text)
    return set(FLAG.findall(text))


def check(program, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    commands = commands_in(help_of(program))
    flags = {name: flags_in(help_of(program, name)) for name in commands}
    page = Page(text, commands)
    problems = []
    for command in commands:
        if not re.search(rf"^## {command}$", text, re.MULTILINE):
            problems.append(f"{command}: there is no heading ## {command}")
        problems += check_command(command, flags[command], page)
    every = {"--help", "--version"}
    for command in commands:
        for flag in flags[command]:
            every.update(names_of_flag(flag), [flag])
    missing = sorted(flags_named(text) - every)
    return commands, problems + [f"{flag} is named but does not exist" for flag in missing]


def main():
    commands, problems = check(*sys.argv[1:3])
    for problem in problems:
        print(problem)
    print(f"{len(commands)} commands, {len(problems)} problems")
    return 1 if problems or not commands else 0


if __name__ == "__main__":
    sys.exit(main())
