#!/usr/bin/env python3
"""Trains, distils and samples tiny models and compares the bits with tests/golden/recorded_run.json.

    recorded_run_test.py HALFSTEP LIBTORCH_VERSION RECORD.json [--native] [--write]

The record holds hashes of the weights and of the samples. It shows that a change of the code changes no result: it was
made with the program before the change and is made again (--write) only where a result is meant to change. The bits depend
on LibTorch's kernels, so there is a record for each LibTorch version and processor architecture; without one the test is
skipped (exit code 77). One thread and the oldest instruction set make them the same on every machine of an architecture;
--native lifts the limits, for comparing two programs on one machine.
"""

import argparse
import hashlib
import json
import os
import platform
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SKIPPED = 77
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
PORTABLE = {"ATEN_CPU_CAPABILITY": "default", "ONEDNN_MAX_CPU_ISA": "SSE41", "MKL_CBWR": "COMPATIBLE"}

SIDE, IMAGES, CLASSES = 8, 48, 3
CONFIG = {
    "output": "v",
    "conditional": True,
    "network": {"image_size": SIDE, "in_channels": 1, "num_classes": CLASSES, "ch": 32, "emb_ch": 32, "ch_mult": [1, 2],
                "num_res_blocks": 1, "attn_resolutions": [4], "dropout": 0.1},
    "train": {"batch": 8, "microbatch": 4, "lr": 1e-3, "warmup": 2, "weight_decay": 1e-3, "ema_decay": 0.9,
              "label_dropout": 0.2, "updates": 6, "precision": "fp32", "log_every": 1},
    "distill": {"method": "halving", "batch": 8, "lr": 1e-3, "anneal": True, "ema_decay": 0.5, "updates_per_stage": 4, "last_updates": 4,
                "precision": "fp32", "log_every": 1},
}

# The runs: name, command, flags. {NAME} is the model that an earlier run ended with.
RUNS = [
    ("teacher", "train", []),
    ("halving", "distill", ["--teacher", "{teacher}", "--start-steps", "4", "--end-steps", "1"]),
    ("direct", "distill", ["--teacher", "{teacher}", "--method", "direct", "--init", "{halving}",
                           "--start-steps", "4", "--end-steps", "1"]),
    ("eps", "train", ["--config", "{folder}/eps.json"]),
    ("converted", "distill", ["--teacher", "{eps}", "--student-output", "v", "--convert-updates", "4",
                              "--start-steps", "4", "--end-steps", "2"]),
]
# The samples: name, model, flags.
SAMPLES = [
    ("teacher-ddim", "{teacher}", ["--steps", "4", "--guidance", "2"]),
    ("teacher-ancestral", "{teacher}", ["--steps", "4", "--sampler", "ancestral", "--class", "1"]),
    ("teacher-heun", "{teacher}", ["--steps", "3", "--sampler", "heun"]),
    ("teacher-dpmpp-2m", "{teacher}", ["--steps", "3", "--sampler", "dpmpp-2m", "--spacing", "logsnr"]),
    ("halving", "{halving}", []),
    ("direct", "{direct}", []),
    ("eps", "{eps}", ["--steps", "4"]),
    ("converted", "{converted}", []),
]


def write_npy(path, dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def write_inputs(folder):
    pixels = bytes((i * i * 7 + i * 13) >> 3 & 255 for i in range(IMAGES * SIDE * SIDE))
    write_npy(folder / "data.npy", "|u1", (IMAGES, SIDE, SIDE, 1), pixels)
    write_npy(folder / "data.labels.npy", "<i8", (IMAGES,), struct.pack(f"<{IMAGES}q", *(i % CLASSES for i in range(IMAGES))))
    (folder / "v.json").write_text(json.dumps(CONFIG))
    (folder / "eps.json").write_text(json.dumps({**CONFIG, "output": "eps"}))


def hash_of_weights(path):
    """The hash of the tensors of a safetensors file, without its metadata."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, tensors = json.loads(data[8:8 + length]), data[8 + length:]
    header.pop("__metadata__", None)
    digest = hashlib.sha256()
    for name, tensor in sorted(header.items()):
        begin, end = tensor["data_offsets"]
        digest.update(f"{name} {tensor['dtype']} {tensor['shape']}\n".encode() + tensors[begin:end])
    return digest.hexdigest()


def hash_of_samples(path):
    with zipfile.ZipFile(path) as archive:
        return hashlib.sha256(archive.read("arr_0.npy")).hexdigest()


class Recorder:
    def __init__(self, program, folder, environment):
        self.program, self.environment = program, environment
        self.paths = {"folder": str(folder)}
        self.folder = folder

    def call(self, command, flags):
        arguments = [self.program, command, "--threads", "1", *(flag.format(**self.paths) for flag in flags)]
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, env=self.environment, check=False)
        if done.returncode != 0:
            sys.exit(f"{' '.join(arguments)}\nended with {done.returncode}: {done.stderr}")
        return done.stdout.strip()

    def hashes(self):
        found = {}
        for name, command, flags in RUNS:
            config = [] if "--config" in flags else ["--config", "{folder}/v.json"]
            self.paths[name] = self.call(
                command, [*config, *flags, "--data", "{folder}/data.npy", "--outdir", "{folder}/" + name, "--seed", "5"])
            models = sorted((self.folder / name).rglob("model.safetensors"), key=lambda path: path.stat().st_mtime_ns)
            for stage, path in enumerate(models, 1):
                found[f"{name}/stage {stage}"] = hash_of_weights(path)
        for name, model, flags in SAMPLES:
            self.call("sample", ["--model", model, *flags, "--seeds", "0-7", "--npz", "{folder}/" + name + ".npz"])
            found[f"samples/{name}"] = hash_of_samples(self.folder / f"{name}.npz")
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("libtorch_version")
    parser.add_argument("record", type=Path)
    parser.add_argument("--native", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()

    records = json.loads(arguments.record.read_text()) if arguments.record.exists() else {}
    key = f"LibTorch {arguments.libtorch_version}, {platform.machine()}"
    if not arguments.write and key not in records:
        print(f"skipped: {arguments.record.name} has no record for {key}, only for {'; '.join(records)}")
        return SKIPPED
    environment = {**os.environ, **ONE_THREAD, **({} if arguments.native else PORTABLE)}
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder))
        found = Recorder(arguments.program, Path(folder), environment).hashes()
    if arguments.write:
        arguments.record.write_text(json.dumps({**records, key: found}, indent=2) + "\n")
        return 0
    names = sorted({*found, *records[key]})
    different = [name for name in names if found.get(name) != records[key].get(name)]
    for name in different:
        print(f"{name}: expected {records[key].get(name)}, received {found.get(name)}")
    print(f"{len(names) - len(different)} of {len(names)} hashes are as recorded for {key}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
