#!/usr/bin/env python3
"""answers_test.py PROGRAM: what the program answers without LibTorch, in real shells and in man.

The completions are tried in bash, zsh and fish, the manual page with mandoc and man, as far as these
are installed.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PROGRAM = ""
CONFIGS = ["cifar10", "fashion"]


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


class Launcher(unittest.TestCase):
    def test_answers_without_the_program_proper(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = shutil.copy(PROGRAM, folder)
            self.assertEqual(output(alone, "--version"), output(PROGRAM, "--version"))
            self.assertIn("--guidance FLOAT", output(alone, "sample", "--help"))
            ended = subprocess.run([alone, "info", "x"], capture_output=True, text=True, check=False)
            self.assertEqual(ended.returncode, 1)
            self.assertIn("libexec/halfstep/halfstep", ended.stderr)

    def test_answers_are_those_of_the_program_proper(self):
        proper = os.path.join(os.path.dirname(PROGRAM), "../libexec/halfstep/halfstep")
        for question in (["--help"], ["help", "train"], ["completion", "zsh"], ["help", "--man"]):
            self.assertEqual(output(PROGRAM, *question), output(proper, *question))

    def test_help_is_as_wide_as_the_terminal(self):
        for width in (60, 100):
            text = output(PROGRAM, "help", "train", env={**os.environ, "COLUMNS": str(width)})
            text = text.split("Examples:")[0].split("\n\n", 2)[2]
            longest = max(map(len, text.splitlines()))
            self.assertLessEqual(longest, width)
            self.assertGreater(longest, width - 20)

    def test_help_has_two_examples_per_command(self):
        for command in output(PROGRAM, "--help").split("Commands:\n")[1].split("\n\n")[0].splitlines():
            if not command.startswith("   "):
                notes = output(PROGRAM, "help", command.split()[0]).split("Examples:\n")[1]
                self.assertGreaterEqual(notes.count("halfstep"), 2, command)

    def test_closed_and_full_outputs_are_errors(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            ended = subprocess.run([PROGRAM, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertEqual(ended.returncode, 1)


class Completion(unittest.TestCase):
    """The words that TAB offers after a line."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        os.mkdir(os.path.join(self.folder.name, "runs"))
        with open(os.path.join(self.folder.name, "m.safetensors"), "w", encoding="utf-8"):
            pass
        self.environment = {**os.environ, "PATH": os.path.dirname(PROGRAM) + ":" + os.environ["PATH"],
                            "HOME": self.folder.name}

    def check(self, words_after):
        self.assertEqual(words_after("halfstep tr"), ["train"])
        self.assertEqual(words_after("halfstep dis"), ["distill"])
        self.assertEqual(words_after("halfstep sample --gui"), ["--guidance"])
        self.assertEqual(words_after("halfstep train --no-ann"), ["--no-anneal"])
        self.assertEqual(words_after("halfstep sample --sampler an"), ["ancestral"])
        self.assertIn("fashion", words_after("halfstep train --config f"))
        self.assertEqual(words_after("halfstep sample --model m.s"), ["m.safetensors"])
        self.assertIn("runs", [word.rstrip("/") for word in words_after("halfstep resume r")])
        self.assertEqual(words_after("halfstep completion z"), ["zsh"])
        self.assertEqual(words_after("halfstep help samp"), ["sample"])

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        def words_after(line):
            words = line.split(" ")
            script = ("compopt() { :; }; source <(halfstep completion bash); COMP_WORDS=(\"$@\"); "
                      "COMP_CWORD=$(($# - 1)); _halfstep; printf '%s\\n' \"${COMPREPLY[@]}\"")
            return output("bash", "-c", script, "bash", *words, cwd=self.folder.name,
                          env=self.environment).split()
        self.check(words_after)
        self.assertIn("distill", words_after("halfstep "))
        self.assertEqual(words_after("halfstep evaluate --sampler ddim,an"), ["ddim,ancestral"])
        self.assertEqual(words_after("halfstep sample --sampler = an"), ["ancestral"])

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        def words_after(line):
            script = "halfstep completion fish | source; complete -C " + repr(line)
            lines = output("fish", "-c", script, cwd=self.folder.name, env=self.environment)
            return [entry.split("\t")[0] for entry in lines.splitlines()]
        self.check(words_after)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        def words_after(line):
            return complete_in_zsh(line, self.folder.name, self.environment)
        self.check(words_after)


# Zsh completes only in an interactive shell: one in a pseudo-terminal of zsh/zpty. A key types the
# words that compadd is given that match.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'PS1=; autoload -Uz compinit; compinit -u -D; source <(halfstep completion zsh)'
zpty -w shell 'compadd() { local -a found; builtin compadd -O found "$@"; print -rl -- "<"$^found">" >> words; builtin compadd "$@" }'
zpty -w shell 'function finish() { zle complete-word; print done >> words; }; zle -N finish; bindkey "^T" finish; print -r ready > ready'
for i in {1..200}; do [[ -e ready ]] && break; sleep 0.05; done
zpty -w -n shell "$1"$'\x14'
for i in {1..200}; do [[ -e words ]] && grep -q '^done' words && break; sleep 0.05; done
zpty -d shell
cat words
"""


def complete_in_zsh(line, folder, environment):
    for name in ("words", "ready"):
        if os.path.exists(os.path.join(folder, name)):
            os.remove(os.path.join(folder, name))
    text = output("zsh", "-f", "-c", ZSH, "zsh", line, cwd=folder, env=environment)
    return sorted({word[1:-1] for word in text.splitlines() if word.startswith("<")})


class ManualPage(unittest.TestCase):
    @unittest.skipUnless(shutil.which("mandoc"), "mandoc is not installed")
    def test_mandoc_finds_nothing_wrong(self):
        page = output(PROGRAM, "help", "--man")
        lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, text=True,
                              capture_output=True, check=False)
        self.assertEqual(lint.stdout, "")

    @unittest.skipUnless(shutil.which("man"), "man is not installed")
    def test_man_shows_flags_and_examples(self):
        with tempfile.NamedTemporaryFile("w", suffix=".1", encoding="utf-8") as file:
            file.write(output(PROGRAM, "help", "--man"))
            file.flush()
            shown = subprocess.run(["man", "--warnings", "-l", file.name], text=True, check=True,
                                   capture_output=True,
                                   env={**os.environ, "MANPAGER": "cat", "MANWIDTH": "80"})
        self.assertEqual(shown.stderr, "")
        for text in ("--guidance FLOAT", "halfstep resume RUN", "[default: ddim]"[:9], "EXIT STATUS"):
            self.assertIn(text, shown.stdout)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
