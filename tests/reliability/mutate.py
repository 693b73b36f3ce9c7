#!/usr/bin/env python3
"""Damages input files in many ways and lets the program read them.

    mutate.py HALFSTEP [KIND...] [--count 1000] [--seed N] [--folder DIR] [--jobs N]

For each kind of input, or the named ones, runs the program on COUNT mutations. Each must be read or refused: exit code 0, 1 or
2, no signal, at most 10 seconds and 1 GB, and, if refused, one line of printable text on stderr. Failing inputs are kept in
DIR/failed. To add a kind, write a function with @kind that takes a folder of its own and returns an Input. Needs Python's
standard library only.
"""

import argparse
import concurrent.futures
import dataclasses
import io
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib

MAX_SECONDS = 10
MAX_KILOBYTES = 1_000_000
MAX_LINE = 20_000
NUMBERS = (0, 1, 0x7F, 0xFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1, 2**32, 2**63)
WORDS = ("null", "true", "[]", "{}", "-1", "0", "1e999", "-1e-999", "1e308", "4294967296", "9223372036854775807", "NaN", "Infinity",
         '""', '"\\u0000"', '"' + "x" * 100_000 + '"', "[" * 200, "[" * 50 + "]" * 50, '"../../x"', '"\\u001b[2J"')


@dataclasses.dataclass
class Input:
    """What a kind of input consists of and how the program reads it."""
    seeds: list       # valid contents, bytes
    name: str         # of the file to write, in a folder of its own
    command: object   # a function of the file's path that returns the program's arguments
    wrap: object = staticmethod(lambda contents: contents)  # makes the file of mutated contents
    mutate: object = None                                   # a function of (contents, rng); default: bytes and JSON


KINDS = {}


def kind(function):
    KINDS[function.__name__] = function
    return function


def mutate_bytes(contents, rng):
    """Returns contents with one to three random changes."""
    contents = bytearray(contents)
    for _ in range(rng.randint(1, 3)):
        if not contents:
            break
        at = rng.randrange(len(contents))
        many = rng.randint(1, 16)
        way = rng.randrange(7)
        if way == 0:
            contents[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            contents[at] = rng.randrange(256)
        elif way == 2:
            number = struct.pack(rng.choice("<>") + "Q", rng.choice(NUMBERS))[:rng.choice((1, 2, 4, 8))]
            contents[at:at + len(number)] = number
        elif way == 3:
            del contents[at:at + many]
        elif way == 4:
            contents[at:at] = contents[rng.randrange(len(contents)):][:many]
        elif way == 5:
            contents[at] = rng.choice(b"0123456789")
        else:
            del contents[at:]
    return bytes(contents)


def mutate_json(contents, rng):
    """Returns the text with a value replaced, a member doubled, or random bytes changed."""
    text = contents.decode()
    ends = [i for i, c in enumerate(text) if c in ",]}:"]
    if not ends or rng.random() < 0.4:
        return mutate_bytes(contents, rng)
    end = rng.choice(ends)
    begin = max(text.rfind(c, 0, end) for c in "[{,:") + 1
    if rng.random() < 0.8:
        return (text[:begin] + rng.choice(WORDS) + text[end:]).encode()
    return (text[:end] + "," + text[begin:end] + text[end:]).encode()


def png(side=8, value=90):
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = (b"\0" + bytes((value,)) * side) * side
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


NAMES = ("00000/img00000000.png", "00000/img00000001.png")
LABELS = json.dumps({"labels": [[NAMES[0], 0], [NAMES[1], 1]], "class_names": ["cat", "dog"]}).encode()
CONFIG = {"output": "v", "conditional": True,
          "network": {"image_size": 8, "in_channels": 1, "num_classes": 2, "ch": 32, "emb_ch": 32, "ch_mult": [1],
                      "num_res_blocks": 1, "attn_resolutions": []},
          "train": {"batch": 2, "lr": 1e-3, "updates": 1, "precision": "fp32"},
          "distill": {"batch": 2, "start_steps": 8, "end_steps": 2, "updates_per_stage": 1}}


def zip_of(files, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, contents in files:
            archive.writestr(name, contents)
    return file.getvalue()


def image_folder(folder):
    for k, name in enumerate(NAMES):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(png(value=40 + k))
    (folder / "dataset.json").write_bytes(LABELS)
    return folder


@kind
def zip_file(folder):
    files = [(name, png()) for name in NAMES] + [("dataset.json", LABELS)]
    return Input([zip_of(files), zip_of(files, zipfile.ZIP_DEFLATED)], "x.zip", lambda path: ["info", path])


@kind
def dataset_json(folder):
    images = [(name, png()) for name in NAMES]
    return Input([LABELS, b'{"labels": [["%s", [0, 1]], ["%s", [1, 0]]]}' % tuple(name.encode() for name in NAMES)], "x.zip",
                 lambda path: ["info", path], lambda text: zip_of(images + [("dataset.json", text)], zipfile.ZIP_DEFLATED),
                 mutate_json)


@kind
def config(folder):
    data = image_folder(folder / "data")
    return Input([json.dumps(CONFIG).encode()], "x.json",
                 lambda path: ["train", "--config", path, "--data", data, "--outdir", folder / "runs", "--dry-run"],
                 mutate=mutate_json)


def trained_run(folder, program=None):
    """Trains for one update and returns the run's folder."""
    (folder / "config.json").write_text(json.dumps(CONFIG))
    data = image_folder(folder / "data")
    subprocess.run([program or PROGRAM, "train", "--config", folder / "config.json", "--data", data, "--outdir", folder / "runs"],
                   check=True, capture_output=True)
    return next((folder / "runs").iterdir())


@kind
def model_spec(folder):
    model = (trained_run(folder) / "model.safetensors").read_bytes()
    length, = struct.unpack("<Q", model[:8])
    header, data = json.loads(model[8:8 + length]), model[8 + length:]

    def with_spec(spec):
        try:
            header["__metadata__"]["halfstep"] = spec.decode()
        except UnicodeDecodeError:
            header["__metadata__"]["halfstep"] = spec.decode("latin1")
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        return struct.pack("<Q", len(text)) + text + data

    return Input([header["__metadata__"]["halfstep"].encode()], "x.safetensors", lambda path: ["info", path], with_spec, mutate_json)


@kind
def model_header(folder):
    model = (trained_run(folder) / "model.safetensors").read_bytes()
    length, = struct.unpack("<Q", model[:8])
    return Input([model[:8 + length]], "x.safetensors", lambda path: ["info", path], lambda head: head + model[8 + length:])


def image_kind(pattern):
    def make(folder):
        files = sorted((pathlib.Path(__file__).parent.parent / "io" / "data").glob(pattern))
        seeds = [path.read_bytes() for path in files if path.name != "float.tif"]  # which is refused as it is
        return Input(seeds, "x" + pattern[1:], lambda path: ["info", path.parent])
    return make


for extension in ("png", "jpg", "webp", "gif", "tif", "bmp"):
    KINDS["image_" + extension] = image_kind("*." + extension)


def complaint(code, seconds, kilobytes, stderr):
    """Returns what is wrong with an outcome, or an empty string."""
    if seconds > MAX_SECONDS:
        return f"took more than {MAX_SECONDS} s"
    if code not in (0, 1, 2):
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
    if code != 0 and len([line for line in lines if not line.startswith("warning: ")]) != 1:
        return f"{len(lines)} lines on stderr"
    if "std::" in text or "filesystem error" in text:
        return "a message of the C++ library"
    return ""


def run(command):
    """Returns the exit code, the seconds, the peak memory in kB and the stderr of a command."""
    with tempfile.TemporaryFile() as stderr:
        begin = time.monotonic()
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        timer = threading.Timer(MAX_SECONDS, lambda: os.kill(process.pid, signal.SIGKILL))
        timer.start()
        _, status, usage = os.wait4(process.pid, 0)
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        stderr.seek(0)
        return process.returncode, time.monotonic() - begin, usage.ru_maxrss, stderr.read()


def try_kind(name, count, seed, folder, jobs):
    """Runs the mutations of a kind; returns the number of failures."""
    (folder / name).mkdir()
    source = KINDS[name](folder / name)
    mutate = source.mutate or mutate_bytes

    def attempt(number):
        rng = random.Random(f"{seed} {name} {number}")
        contents = mutate(rng.choice(source.seeds), rng) if number > 0 else source.seeds[0]
        place = folder / name / str(number)
        place.mkdir()
        path = place / source.name
        path.write_bytes(source.wrap(contents))
        code, seconds, kilobytes, stderr = run([PROGRAM, *source.command(path)])
        wrong = complaint(code, seconds, kilobytes, stderr)
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
