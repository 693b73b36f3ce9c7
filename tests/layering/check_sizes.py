#!/usr/bin/env python3
"""Fails on files of more than 300 lines and on C++ functions of more than 60 in src/, cli/, tests/ and
python/.

    check_sizes.py [SOURCE_DIR]

A function has as many lines as there are between its braces, as in clang-tidy's readability-function-size.
"""

import re
from pathlib import Path

import command

FOLDERS = ("src", "cli", "tests", "python")
CPP = (".h", ".cc")
MAX_FILE_LINES = 300
MAX_FUNCTION_LINES = 60

# Comments, literals and preprocessor lines: text in which a brace means nothing. Names and numbers are matched so that
# neither the R of a name nor the ' of 1'000 begins a literal.
NOT_CODE = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/
        |(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]*)\(.*?\)(?P=delimiter)"
        |(?:u8|[uUL])?"(?:\\.|[^"\\\n])*"|(?:u8|[uUL])?'(?:\\.|[^'\\\n])*'
        |^[ \t]*\#(?:[^\n]*\\\n)*[^\n]*)
        |\d[\w.']*|\w+""",
    re.DOTALL | re.MULTILINE | re.VERBOSE)

SCOPE = re.compile(r"(?:(?:inline|static|constexpr|const|friend|typedef)\s+)*(?:namespace|class|struct|union|enum|extern)\b")


def blank(text):
    """The text with everything that is not code replaced by spaces; lines stay where they are."""
    def replace(match):
        return re.sub(r"[^\n]", " ", match[0]) if match["skip"] else match[0]
    return NOT_CODE.sub(replace, text)


def without_template_heads(head):
    """Removes `template <...>`, whose parameters may be declared with `class`."""
    while match := re.search(r"\btemplate\s*<", head):
        end, depth = match.end(), 1
        while end < len(head) and depth:
            depth += {"<": 1, ">": -1}.get(head[end], 0)
            end += 1
        head = head[:match.start()] + head[end:]
    return head


def opens(head):
    """What a brace after this text opens at namespace or class scope: "scope", "function" or "value"."""
    head = without_template_heads(head)
    head = re.sub(r"\[\[.*?\]\]|\b(?:public|private|protected)\s*:", " ", head, flags=re.DOTALL).strip()
    if SCOPE.match(head):
        return "scope"
    return "function" if "(" in head else "value"


def functions(text):
    """Yields (name, first line, number of lines) of every function that is not inside another."""
    code = blank(text)
    stack = []  # of (kind, head, position) for each open bracket
    start = 0   # of the declaration that is being read
    for match in re.finditer(r"[{}();]", code):
        position, bracket = match.start(), match[0]
        if bracket == "(":
            stack.append(("parenthesis", start, position))
        elif bracket == "{":
            outside = all(kind == "scope" for kind, _, _ in stack)
            kind = opens(code[start:position]) if outside else "inner"
            stack.append((kind, start, position))
            if kind == "scope":
                start = position + 1
        elif bracket in ")}" and stack:
            kind, declaration, opened = stack.pop()
            if kind == "function":
                following = code[position + 1:].lstrip()[:1]
                if following in (",", "{"):  # a member initializer, a_{1}: the body is still to come
                    continue
                lines = code.count("\n", opened, position)
                name = " ".join(code[declaration:opened].split())
                name = re.sub(r"^(?:public|private|protected): ", "", name)
                if not name.startswith("TEST"):
                    name = name.split("(")[0]
                yield name, code.count("\n", 0, opened) + 1, lines
            if bracket == "}" and kind in ("function", "scope"):
                start = position + 1
        elif bracket == ";" and all(kind == "scope" for kind, _, _ in stack):
            start = position + 1


def check(source_dir):
    """Returns the list of problems, one line each."""
    problems = []
    for folder in FOLDERS:
        for path in sorted((Path(source_dir) / folder).rglob("*")):
            if path.suffix not in (*CPP, ".py") or not path.is_file():
                continue
            name, text = path.relative_to(source_dir).as_posix(), path.read_text()
            lines = text.count("\n")
            if lines > MAX_FILE_LINES:
                problems.append(f"{name}: {lines} lines; at most {MAX_FILE_LINES} are allowed")
            for function, line, size in functions(text) if path.suffix in CPP else ():
                if size > MAX_FUNCTION_LINES:
                    problems.append(
                        f"{name}:{line}: {function}: {size} lines; at most {MAX_FUNCTION_LINES} are allowed")
    return problems


if __name__ == "__main__":
    command.run(check)
