#!/usr/bin/env python3
"""Damages input files in many ways and lets the program read them.

    mutate.py HALFSTEP [KIND...] [--count 1000] [--seed N] [--folder DIR] [--jobs N]

For each kind of input in damaged_inputs.py, or the named ones, runs the program on COUNT mutations. Each must be read or
refused: exit code 0, 1 or 2, no signal, at most 10 seconds and 1 GB, and, if refused, one line of printable text on stderr. A
run that a damaged file made longer is interrupted after 5 seconds and must then end like any interrupted run. Failing inputs
are kept in DIR/failed. Needs Python's standard library only.
"""

import argparse
import concurrent.futures
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from damaged_inputs import KINDS, mutate_bytes
from tiny_runs import INTERRUPTED

MAX_SECONDS = 10
MAX_RUN_SECONDS = 5
MAX_KILOBYTES = 1_000_000
MAX_LINE = 20_000


def complaint(source, code, seconds, kilobytes, stderr):
    """Returns what is wrong with an outcome, or an empty string."""
    if seconds > MAX_SECONDS:
        return f"took more than {MAX_SECONDS} s"
    if code not in (0, 1, 2) and not (source.runs and code == INTERRUPTED):
        return f"exit code {code}"
    if kilobytes > MAX_KILOBYTES:
        return f"{kilobytes} kB of memory"
    try:
        text = stderr.decode()
    except UnicodeDecodeError:
        return "stderr is not UTF-8"
    lines = text.splitlines()
    if any(len(line) > MAX_LINE for line in lines):
        return "a line of more than %d characters" % MAX_LINE
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for line in text.split("\n") for c in line):
        return "control characters on stderr"
    if code in (1, 2):
        expected = [line for line in lines if line.startswith("halfstep: error: ")] if source.runs else [
            line for line in lines if not line.startswith("warning: ")]
        if len(expected) != 1:
            return f"{len(lines)} lines on stderr"
    if "std::" in text or "filesystem error" in text:
        return "a message of the C++ library"
    return ""


def run(command, interrupt):
    """Returns the exit code, the seconds, the peak memory in kB and the stderr of a command."""
    with tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        timers = [threading.Timer(MAX_SECONDS, process.send_signal, [signal.SIGKILL])]
        if interrupt:
            timers.append(threading.Timer(MAX_RUN_SECONDS, process.send_signal, [signal.SIGINT]))
        for timer in timers:
            timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        for timer in timers:
            timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        return process.returncode, time.monotonic() - begin, usage.ru_maxrss, stderr.read()


def try_kind(name, count, seed, folder, jobs):
    """Runs the mutations of a kind; returns the number of failures."""
    (folder / name).mkdir()
    source = KINDS[name](folder / name, PROGRAM)
    mutate = source.mutate or mutate_bytes

    def attempt(number):
        rng = random.Random(f"{seed} {name} {number}")
        contents = mutate(rng.choice(source.seeds), rng) if number > 0 else source.seeds[0]
        place = folder / name / str(number)
        if source.around:
            shutil.copytree(source.around, place)
        else:
            place.mkdir()
        path = place / source.name
        path.write_bytes(source.wrap(contents))
        code, seconds, kilobytes, stderr = run([PROGRAM, *source.command(path)], source.runs)
        wrong = complaint(source, code, seconds, kilobytes, stderr)
        if number == 0 and code != 0:
            wrong = f"the file without damage is refused: {stderr.decode()}"
        if wrong:
            kept = folder / "failed" / name / str(number)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(place, kept)
            print(f"{name} {number}: {wrong}; {kept}: {stderr[:300]!r}", flush=True)
        shutil.rmtree(place)
        return code, bool(wrong), seconds, kilobytes

    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        outcomes = list(pool.map(attempt, range(count + 1)))
    failures = sum(wrong for _, wrong, _, _ in outcomes)
    refused = sum(code != 0 for code, _, _, _ in outcomes)
    print(f"{name}: {count} mutations, {refused} refused, {failures} wrong, at most {max(o[2] for o in outcomes):.1f} s and "
          f"{max(o[3] for o in outcomes) // 1000} MB", flush=True)
    return failures


def main():
    global PROGRAM
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=pathlib.Path, default=None)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    PROGRAM = arguments.program.resolve()
    unknown = [name for name in arguments.kinds if name not in KINDS]
    if unknown:
        parser.error(f"unknown kinds {unknown}; known: {', '.join(KINDS)}")
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {seed}", flush=True)
    folder = pathlib.Path(tempfile.mkdtemp(dir=arguments.folder, prefix="mutate-"))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    failures = sum(try_kind(name, arguments.count, seed, folder, arguments.jobs) for name in arguments.kinds or KINDS)
    if not failures:
        shutil.rmtree(folder)
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
