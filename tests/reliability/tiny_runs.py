"""Tiny runs of the program, which other scripts interrupt, damage and watch, and what must be the same at their end."""

import argparse
import ctypes
import hashlib
import json
import os
import pathlib
import random
import struct
import subprocess
import time

SIDE, IMAGES, CLASSES = 4, 64, 3
CONFIG = {
    "output": "v",
    "conditional": True,
    "network": {"image_size": SIDE, "in_channels": 1, "num_classes": CLASSES, "ch": 32, "emb_ch": 32, "ch_mult": [1],
                "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.1},
    "train": {"batch": 8, "lr": 1e-3, "updates": 100, "ema_decay": 0.9, "precision": "fp32", "log_every": 1},
    "distill": {"method": "halving", "batch": 8, "anneal": True, "precision": "fp32", "start_steps": 8, "end_steps": 2, "updates_per_stage": 40,
                "last_updates": 40, "log_every": 1},
}
FEATURES = pathlib.Path(__file__).parents[2] / "models/features/resnet20-fashion.safetensors"
MATCH = ("distill", "--method", "moment-matching", "--match-updates", "40", "--evaluate-every", "10", "--evaluate-num", "16",
         "--features", FEATURES)
KINDS = {"train": ("train",), "restore": ("train", "--condition", "inpainting"), "distill": ("distill",), "match": MATCH,
         "match_restore": MATCH}
TEACHERS = {"distill": "train", "match": "train", "match_restore": "restore"}
INTERRUPTED = 130
TIMES = ("seconds", "images_per_second")
MAX_SECONDS = 120  # of one process
DISK_BYTES = 96 << 20
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


def parse_arguments(description, count, default):
    """Returns the arguments of a script that damages runs `count` times, and the random numbers of its --seed."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument(count, type=int, default=default)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=pathlib.Path, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {seed}", flush=True)
    os.environ["OMP_NUM_THREADS"] = "1"  # of the runs
    return arguments, random.Random(seed)


def write_npy(path, dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def obey_permissions():
    """Makes the process subject to file permissions even if it runs as root."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


class Disk:
    """A small file system, or a plain folder if none can be mounted."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", str(path)]
        self.mounted = subprocess.run(command, capture_output=True).returncode == 0

    def fill(self, leave):
        space = os.statvfs(self.path)
        size = max(0, space.f_bavail * space.f_frsize - leave)
        with open(self.path / "filler", "wb") as file:
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError:  # the run took the space first: the disk is full
                pass

    def free(self):
        (self.path / "filler").unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=False)


class World:
    """The program, its data, and the outcomes of uninterrupted runs."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        rng = random.Random(1)
        write_npy(folder / "dots.npy", "|u1", (IMAGES, SIDE, SIDE, 1), rng.randbytes(IMAGES * SIDE * SIDE))
        write_npy(folder / "dots.labels.npy", "<i8", (IMAGES,), struct.pack(f"<{IMAGES}q", *(i % CLASSES for i in range(IMAGES))))
        self.data = (folder / "dots.npy").read_bytes()
        (folder / "tiny.json").write_text(json.dumps(CONFIG))
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        self.disk = Disk(folder / "disk")
        self.models = {}  # of the uninterrupted runs
        self.expected = {}
        self.seconds = {}
        for kind in KINDS:
            outdir = folder / f"expected-{kind}"
            begin = time.monotonic()
            subprocess.run(self.start(kind, outdir, "1000"), check=True, capture_output=True, timeout=MAX_SECONDS)
            self.seconds[kind] = time.monotonic() - begin
            self.expected[kind] = outcome(only_run(outdir))
            self.models[kind] = only_run(outdir) / "model.safetensors"

    def temporary_files(self, outdir):
        return [*outdir.glob("**/.*.tmp"), *(self.folder / "tmp").iterdir()]

    def start(self, kind, outdir, every):
        command = [self.program, *KINDS[kind], "--config", self.folder / "tiny.json", "--data", self.folder / "dots.npy",
                   "--outdir", outdir, "--threads", "1", "--checkpoint-every", every]
        return command + (["--teacher", self.models[TEACHERS[kind]]] if kind in TEACHERS else [])


def checksum(file):
    """Returns the checksum that options.json or a manifest carries, given as a dict."""
    text = json.dumps({key: value for key, value in file.items() if key != "checksum"}, separators=(",", ":"), sort_keys=True,
                      ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def only_run(outdir):
    """Returns the run under `outdir`, or None if its options.json, which is written last, is missing."""
    runs = [path.parent for path in outdir.glob("*/options.json")] if outdir.exists() else []
    assert len(runs) <= 1, runs
    return runs[0] if runs else None


def without_times(line):
    return {key: without_times(value) if isinstance(value, dict) else value for key, value in line.items() if key not in TIMES}


def outcome(run):
    """Returns everything that must be the same as in an uninterrupted run."""
    models = {str(path.relative_to(run)): path.read_bytes() for name in ("model.safetensors", "samples.png")
              for path in sorted(run.glob(f"**/{name}"))}
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    stats = [without_times(line) for line in lines]
    manifests = [json.loads(path.read_text()) | {"slot": path.parent} for path in run.glob("state/*/manifest.json")]
    newest = max(manifests, key=lambda manifest: (manifest["stage"], manifest["update"]))
    tensors = (newest.pop("slot") / "tensors.safetensors").read_bytes()
    # the other keys depend on times, or on the length of text that contains times
    state = {key: value for key, value in newest.items() if key not in ("seconds", "stats_bytes", "stats_sha256", "checksum")}
    return {"models": models, "stats": stats, "state": state, "tensors": tensors}


def differences(found, expected):
    for key, value in expected.items():
        if found[key] != value:
            yield key
