#!/usr/bin/env python3
"""Interrupts real runs at random moments in many ways, and resumes them.

    kill_runs.py HALFSTEP [--kills 200] [--seed N] [--folder DIR]

Starts tiny trainings and distillations, interrupts each at a random moment in a random way, resumes it, interrupts it again
and so on until it finishes. Its models, its newest state (weights, optimizer, counts) and its statistics, except times, must
then be the same bits as those of an uninterrupted run. The ways:

    kill        SIGKILL, as by the kernel when memory runs out
    kill_save   SIGKILL while a file of a state or a model is being written
    term, int   SIGTERM, SIGINT: the program saves its state and exits with 130
    full_disk   the disk fills up (skipped if a tmpfs cannot be mounted)
    file_limit  files cannot grow beyond a random size
    read_only   the folders of the run become read-only
    memory      allocations fail from a random moment on

Exits with 1 if a run was lost (could not be resumed) or ended with other bits. Needs Python's standard library only.
"""

import argparse
import collections
import ctypes
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

SIDE, IMAGES, CLASSES = 4, 64, 3
CONFIG = {
    "output": "v",
    "conditional": True,
    "network": {"image_size": SIDE, "in_channels": 1, "num_classes": CLASSES, "ch": 32, "emb_ch": 32, "ch_mult": [1],
                "num_res_blocks": 1, "attn_resolutions": [], "dropout": 0.1},
    "train": {"batch": 8, "lr": 1e-3, "updates": 100, "ema_decay": 0.9, "precision": "fp32", "log_every": 1},
    "distill": {"batch": 8, "anneal": True, "precision": "fp32", "start_steps": 8, "end_steps": 2, "updates_per_stage": 40,
                "last_updates": 40, "log_every": 1},
}
EVERY = ["1", "3", "20", "1s"]  # the result must not depend on when states are saved
INTERRUPTED = 130
TIMES = ("seconds", "images_per_second")
MAX_SECONDS = 120  # of one process
DISK_BYTES = 96 << 20
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


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
        (folder / "tiny.json").write_text(json.dumps(CONFIG))
        self.disk = Disk(folder / "disk")
        self.teacher = None
        self.expected = {}
        self.seconds = {}
        for kind in ("train", "distill"):
            outdir = folder / f"expected-{kind}"
            begin = time.monotonic()
            subprocess.run(self.start(kind, outdir, "1000"), check=True, capture_output=True, timeout=MAX_SECONDS)
            self.seconds[kind] = time.monotonic() - begin
            self.expected[kind] = outcome(only_run(outdir))
            if kind == "train":
                self.teacher = only_run(outdir) / "model.safetensors"

    def start(self, kind, outdir, every):
        command = [self.program, kind, "--config", self.folder / "tiny.json", "--data", self.folder / "dots.npy", "--outdir", outdir,
                   "--threads", "1", "--checkpoint-every", every]
        return command + (["--teacher", self.teacher] if kind == "distill" else [])


def only_run(outdir):
    """Returns the run under `outdir`, or None if its options.json, which is written last, is missing."""
    runs = [path.parent for path in outdir.glob("*/options.json")] if outdir.exists() else []
    assert len(runs) <= 1, runs
    return runs[0] if runs else None


def outcome(run):
    """Returns everything that must be the same as in an uninterrupted run."""
    models = {str(path.relative_to(run)): path.read_bytes() for name in ("model.safetensors", "samples.png")
              for path in sorted(run.glob(f"**/{name}"))}
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    stats = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
    manifests = [json.loads(path.read_text()) | {"slot": path.parent} for path in run.glob("state/*/manifest.json")]
    newest = max(manifests, key=lambda manifest: (manifest["stage"], manifest["update"]))
    tensors = (newest.pop("slot") / "tensors.safetensors").read_bytes()
    # the other keys depend on times, or on the length of text that contains times
    state = {key: value for key, value in newest.items() if key not in ("seconds", "stats_bytes", "checksum")}
    return {"models": models, "stats": stats, "state": state, "tensors": tensors}


class Interruption:
    """One way to interrupt a process: what to do before it starts, while it runs, and afterwards."""

    def __init__(self, way, rng, seconds, world, outdir):
        self.way, self.rng, self.world, self.outdir = way, rng, world, outdir
        self.after = rng.uniform(0.0, seconds)
        self.file_limit = rng.randrange(1000, 700_000)
        self.locked = []

    def prepare(self):  # called in the child process
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if self.way == "file_limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.file_limit, self.file_limit))
        if self.way == "read_only":
            obey_permissions()

    def writing(self):
        return any(True for _ in self.outdir.glob("*/**/.*.tmp"))

    def strike(self, process):
        if self.way == "kill_save":
            while process.poll() is None and not self.writing():
                pass
            time.sleep(self.rng.choice([0.0, 0.0, 0.001, 0.003]))
        if self.way in ("kill", "kill_save"):
            process.kill()
        elif self.way in ("term", "int"):
            process.send_signal(signal.SIGTERM if self.way == "term" else signal.SIGINT)
        elif self.way == "full_disk":
            self.world.disk.fill(self.rng.randrange(0, 3_000_000))
        elif self.way == "read_only":
            for folder in [self.outdir, *self.outdir.glob("**/")]:
                mode = folder.stat().st_mode if folder.exists() else None
                if mode is not None:
                    self.locked.append((folder, mode))
                    folder.chmod(0o555)
        elif self.way == "memory":
            try:
                with open(f"/proc/{process.pid}/statm") as file:
                    now = int(file.read().split()[0]) * resource.getpagesize()
                limit = now + self.rng.randrange(0, 4_000_000)
                resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
            except (OSError, ValueError, IndexError):  # the process has ended
                pass

    def undo(self):
        self.world.disk.free()
        for folder, mode in self.locked:
            folder.chmod(mode)


def session(command, interruption):
    """Runs a command to its end; returns its exit code and its stderr."""
    with tempfile.TemporaryFile("w+") as stderr:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr, preexec_fn=interruption.prepare)
        try:
            process.wait(interruption.after)
        except subprocess.TimeoutExpired:
            interruption.strike(process)
        try:
            process.wait(MAX_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        interruption.undo()
        stderr.seek(0)
        return process.returncode, stderr.read()


def expected_code(way, code):
    if way in ("kill", "kill_save"):
        return code == -signal.SIGKILL
    if way in ("term", "int"):  # before its handler is installed, the signal kills it
        return code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGINT)
    if way == "memory":  # it may crash if there is no memory to report the error
        return code == 1 or code < 0
    return code == 1


def differences(found, expected):
    for key, value in expected.items():
        if found[key] != value:
            yield key


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--folder", type=pathlib.Path, default=None)
    arguments = parser.parse_args()
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    print(f"--seed {seed}", flush=True)
    rng = random.Random(seed)
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the disk is unmounted
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        world = World(arguments.program.resolve(), pathlib.Path(folder))
        try:
            return kill_runs(world, rng, arguments.kills)
        finally:
            world.disk.close()


def kill_runs(world, rng, wanted):
    ways = ["kill", "kill", "kill_save", "kill_save", "term", "int", "file_limit", "read_only", "memory"]
    ways += ["full_disk"] if world.disk.mounted else []
    kills, runs, finished = collections.Counter(), collections.Counter(), 0
    lost, different = [], []
    while sum(kills.values()) < wanted:
        kind = rng.choice(["train", "distill"])
        outdir = world.disk.path / "runs"
        shutil.rmtree(outdir, ignore_errors=True)
        outdir.mkdir()
        runs[kind] += 1
        command = world.start(kind, outdir, rng.choice(EVERY))
        failures = 0
        while True:
            way = rng.choice(ways) if sum(kills.values()) < wanted and failures == 0 else "none"
            code, stderr = session(command, Interruption(way, rng, world.seconds[kind], world, outdir))
            run = only_run(outdir)
            if code == 0:
                break
            if way != "none" and expected_code(way, code):
                kills[way] += 1
            else:
                # try once more without an interruption
                failures += 1
                print(f"{kind}, {way}: exit {code}: {stderr.strip().splitlines()[-1:]}", flush=True)
                if failures > 1 or way == "none":
                    lost.append((kind, way, code, stderr))
                    break
            if run is None:  # interrupted before it existed: start again
                shutil.rmtree(outdir)
                outdir.mkdir()
            else:
                command = [world.program, "resume", run]
        if code != 0:
            continue
        finished += 1
        print(f"{sum(kills.values())} kills, {finished} runs finished", flush=True)
        wrong = list(differences(outcome(only_run(outdir)), world.expected[kind]))
        if wrong:
            different.append((kind, wrong))
            print(f"{kind}: different: {wrong}", flush=True)
    print(f"{sum(runs.values())} runs ({', '.join(f'{count} {kind}' for kind, count in sorted(runs.items()))}), {finished} finished; "
          f"{sum(kills.values())} kills: {', '.join(f'{count} {way}' for way, count in sorted(kills.items()))}")
    print(f"{len(lost)} lost, {len(different)} different")
    for kind, way, code, stderr in lost:
        print(f"lost: {kind} after {way}: exit {code}\n{stderr}")
    return 1 if lost or different else 0


if __name__ == "__main__":
    sys.exit(main())
