#!/usr/bin/env python3
"""The paper's four configurations at full size on a CPU, end to end: train, distil, sample.

    tests/train/full_configs.py [--halfstep build/release/bin/halfstep] [--only cifar10,...]

Runs each configuration in float32 with a small batch: one training update with the whole batch at once and one in
microbatches, whose losses and gradient norms must agree; one update of a distillation from 4 steps to 2; and sampling one
image. Prints the wall time and the peak memory of each command. Takes minutes per configuration and several GB of disk. (The
test suite covers the same code with small networks: ResumeTest, Regression.MicrobatchesAddUpToTheBatch.)
"""

import argparse
import json
import os
import resource
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# image size, classes, batch
CONFIGS = {
    "cifar10": (32, 0, 4),
    "lsun-bedroom128": (128, 0, 2),
    "lsun-church128": (128, 0, 2),
    "imagenet64": (64, 1000, 2),
}
TOLERANCE = 1e-5  # relative; float32 sums in another order


def write_npy(path, dtype, shape, data):
    header = repr(dict(descr=dtype, fortran_order=False, shape=shape)).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def write_data(folder, size, classes, count=8):
    """Writes images of noise."""
    path = folder / "noise.npy"
    write_npy(path, "|u1", (count, size, size, 3), os.urandom(count * size * size * 3))
    if classes:
        labels = [k * (classes - 1) // (count - 1) for k in range(count)]
        write_npy(folder / "noise.labels.npy", "<i8", (count,), struct.pack(f"<{count}q", *labels))
    return path


def run(what, *command):
    begin = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{what} failed with code {done.returncode}: {done.stderr.strip()}")
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"  {what:34} {time.monotonic() - begin:7.1f} s, at most {most:.1f} GiB so far", flush=True)
    return Path(done.stdout.strip().splitlines()[-1])


def last_stats(model):
    return json.loads((model.parent / "stats.jsonl").read_text().splitlines()[-1])


def try_config(name, halfstep, folder):
    size, classes, batch = CONFIGS[name]
    print(f"{name}: {size} x {size}, batch {batch}", flush=True)
    data = write_data(folder, size, classes)
    common = ["--data", data, "--outdir", folder / "runs", "--batch", batch, "--precision", "fp32",
              "--grid-images", 0]  # sampling a grid would take most of the time
    train = [halfstep, "train", "--config", name, *common, "--updates", 1]
    whole = run("training update, whole batch", *train)
    parts = run("training update, image by image", *train, "--microbatch", 1)
    for key in ("loss", "grad_norm"):
        a, b = last_stats(whole)[key], last_stats(parts)[key]
        print(f"  {key}: {a!r} and {b!r}, relative difference {abs(a - b) / abs(a):.1e}")
        if not abs(a - b) <= TOLERANCE * abs(a):
            raise RuntimeError(f"{key} depends on the microbatch")
    student = run("distillation update", halfstep, "distill", "--config", name, "--teacher", whole, *common,
                  "--microbatch", 1, "--start-steps", 4, "--end-steps", 2, "--updates-per-stage", 1,
                  "--last-updates", 1)  # fmt: skip
    if last_stats(student.parent)["num_steps"] != 2:
        raise RuntimeError("the distillation did not end at 2 steps")
    run("sampling, 2 steps", halfstep, "sample", "--model", student, "--seeds", "0", "--npz", folder / "one.npz")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halfstep", default="build/release/bin/halfstep", help="the program")
    parser.add_argument("--only", default=",".join(CONFIGS), help="configurations, with commas between")
    a = parser.parse_args()
    for name in a.only.split(","):
        with tempfile.TemporaryDirectory() as folder:
            try_config(name, a.halfstep, Path(folder))


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"full_configs.py: {error}")
