#!/usr/bin/env python3
"""Ends real runs at random moments, in every way there is, and resumes them.

    kill_runs.py HALFSTEP [--kills 200] [--seed N] [--folder DIR]

Tiny trainings and distillations are started, ended at a random moment in a random way, resumed, ended again ... until they
finish. Each must then be what an uninterrupted run left: the models, the newest state (weights, optimizer, counts) and the
statistics without times, bit for bit. The ways:

    kill        SIGKILL, as the kernel does for memory
    kill_save   SIGKILL while a file of a state or a model is being written
    term, int   SIGTERM, SIGINT: it saves and exits with 130
    full_disk   the disk is filled up meanwhile (needs to mount a tmpfs; else left out)
    file_limit  files cannot grow beyond a random size
    read_only   the folders of the run may not be written in meanwhile
    memory      no more memory is to be had from some moment on

Exit 1 where a run was lost (resume did not go on) or ended different. Python's standard library only.
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
EVERY = ["1", "3", "20", "1s"]  # when states are saved must not matter
INTERRUPTED = 130
TIMES = ("seconds", "images_per_second")
LONGEST = 120  # seconds of one process
DISK_BYTES = 96 << 20
CAP_DAC_OVERRIDE, PR_CAPBSET_DROP = 1, 24


def write_npy(path, dtype, shape, data):
    header = repr({"descr": dtype, "fortran_order": False, "shape": shape})
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data)


def obey_permissions():
    """Even as root."""
    if os.geteuid() == 0:
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)


class Disk:
    """A small file system of its own, or a plain folder where none may be mounted."""

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
            except OSError:  # the run took the space first: as full as can be
                pass

    def free(self):
        (self.path / "filler").unlink(missing_ok=True)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=False)


class World:
    def __init__(self, program, folder):
        self.program = program
        self.folder = folder
        chance = random.Random(1)
        write_npy(folder / "dots.npy", "|u1", (IMAGES, SIDE, SIDE, 1), chance.randbytes(IMAGES * SIDE * SIDE))
        write_npy(folder / "dots.labels.npy", "<i8", (IMAGES,), struct.pack(f"<{IMAGES}q", *(i % CLASSES for i in range(IMAGES))))
        (folder / "tiny.json").write_text(json.dumps(CONFIG))
        self.disk = Disk(folder / "disk")
        self.teacher = None
        self.whole = {}
        self.seconds = {}
        for kind in ("train", "distill"):
            outdir = folder / f"whole-{kind}"
            begin = time.monotonic()
            subprocess.run(self.start(kind, outdir, "1000"), check=True, capture_output=True, timeout=LONGEST)
            self.seconds[kind] = time.monotonic() - begin
            self.whole[kind] = outcome(only_run(outdir))
            if kind == "train":
                self.teacher = only_run(outdir) / "model.safetensors"

    def start(self, kind, outdir, every):
        command = [self.program, kind, "--config", self.folder / "tiny.json", "--data", self.folder / "dots.npy", "--outdir", outdir,
                   "--threads", "1", "--checkpoint-every", every]
        return command + (["--teacher", self.teacher] if kind == "distill" else [])


def only_run(outdir):
    """The run under `outdir`, none where it was not there yet: options.json is written last."""
    runs = [path.parent for path in outdir.glob("*/options.json")] if outdir.exists() else []
    assert len(runs) <= 1, runs
    return runs[0] if runs else None


def outcome(run):
    """All that must be the same."""
    models = {str(path.relative_to(run)): path.read_bytes() for name in ("model.safetensors", "samples.png")
              for path in sorted(run.glob(f"**/{name}"))}
    lines = [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]
    stats = [{key: value for key, value in line.items() if key not in TIMES} for line in lines]
    manifests = [json.loads(path.read_text()) | {"slot": path.parent} for path in run.glob("state/*/manifest.json")]
    newest = max(manifests, key=lambda manifest: (manifest["stage"], manifest["update"]))
    tensors = (newest.pop("slot") / "tensors.safetensors").read_bytes()
    # the rest is of times, and of the text that has them
    state = {key: value for key, value in newest.items() if key not in ("seconds", "stats_bytes", "checksum")}
    return {"models": models, "stats": stats, "state": state, "tensors": tensors}


class Ending:
    """One way to end a process: before it starts, while it runs, and what is undone afterwards."""

    def __init__(self, way, chance, seconds, world, outdir):
        self.way, self.chance, self.world, self.outdir = way, chance, world, outdir
        self.after = chance.uniform(0.0, seconds)
        self.file_limit = chance.randrange(1000, 700_000)
        self.locked = []

    def prepare(self):  # in the child
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
            time.sleep(self.chance.choice([0.0, 0.0, 0.001, 0.003]))
        if self.way in ("kill", "kill_save"):
            process.kill()
        elif self.way in ("term", "int"):
            process.send_signal(signal.SIGTERM if self.way == "term" else signal.SIGINT)
        elif self.way == "full_disk":
            self.world.disk.fill(self.chance.randrange(0, 3_000_000))
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
                limit = now + self.chance.randrange(0, 4_000_000)
                resource.prlimit(process.pid, resource.RLIMIT_AS, (limit, limit))
            except (OSError, ValueError, IndexError):  # ended meanwhile
                pass

    def undo(self):
        self.world.disk.free()
        for folder, mode in self.locked:
            folder.chmod(mode)


def session(command, ending):
    """Runs until it ends; returns the exit code and what it said."""
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, preexec_fn=ending.prepare)
        try:
            process.wait(ending.after)
        except subprocess.TimeoutExpired:
            ending.strike(process)
        try:
            process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        ending.undo()
        said.seek(0)
        return process.returncode, said.read()


def expected_code(way, code):
    if way in ("kill", "kill_save"):
        return code == -signal.SIGKILL
    if way in ("term", "int"):  # before it listens the signal ends it as ever
        return code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGINT)
    if way == "memory":  # where even the error has no memory, it is a crash
        return code == 1 or code < 0
    return code == 1


def differences(found, whole):
    for key, value in whole.items():
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
    chance = random.Random(seed)
    os.environ["OMP_NUM_THREADS"] = "1"
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and take the disk down
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        world = World(arguments.program.resolve(), pathlib.Path(folder))
        try:
            return kill_runs(world, chance, arguments.kills)
        finally:
            world.disk.close()


def kill_runs(world, chance, wanted):
    ways = ["kill", "kill", "kill_save", "kill_save", "term", "int", "file_limit", "read_only", "memory"]
    ways += ["full_disk"] if world.disk.mounted else []
    kills, runs, finished = collections.Counter(), collections.Counter(), 0
    lost, different = [], []
    while sum(kills.values()) < wanted:
        kind = chance.choice(["train", "distill"])
        outdir = world.disk.path / "runs"
        shutil.rmtree(outdir, ignore_errors=True)
        outdir.mkdir()
        runs[kind] += 1
        command = world.start(kind, outdir, chance.choice(EVERY))
        trouble = 0
        while True:
            way = chance.choice(ways) if sum(kills.values()) < wanted and trouble == 0 else "none"
            code, said = session(command, Ending(way, chance, world.seconds[kind], world, outdir))
            run = only_run(outdir)
            if code == 0:
                break
            if way != "none" and expected_code(way, code):
                kills[way] += 1
            else:
                # once more with nothing in its way, to be sure
                trouble += 1
                print(f"{kind}, {way}: exit {code}: {said.strip().splitlines()[-1:]}", flush=True)
                if trouble > 1 or way == "none":
                    lost.append((kind, way, code, said))
                    break
            if run is None:  # ended before there was one: begun again
                shutil.rmtree(outdir)
                outdir.mkdir()
            else:
                command = [world.program, "resume", run]
        if code != 0:
            continue
        finished += 1
        print(f"{sum(kills.values())} kills, {finished} runs finished", flush=True)
        wrong = list(differences(outcome(only_run(outdir)), world.whole[kind]))
        if wrong:
            different.append((kind, wrong))
            print(f"{kind}: different: {wrong}", flush=True)
    print(f"{sum(runs.values())} runs ({', '.join(f'{count} {kind}' for kind, count in sorted(runs.items()))}), {finished} finished; "
          f"{sum(kills.values())} kills: {', '.join(f'{count} {way}' for way, count in sorted(kills.items()))}")
    print(f"{len(lost)} lost, {len(different)} different")
    for kind, way, code, said in lost:
        print(f"lost: {kind} after {way}: exit {code}\n{said}")
    return 1 if lost or different else 0


if __name__ == "__main__":
    sys.exit(main())
