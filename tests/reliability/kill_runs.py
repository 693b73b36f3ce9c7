#!/usr/bin/env python3
"""Interrupts real runs at random moments in many ways, and resumes them.

    kill_runs.py HALFSTEP [--kills 200] [--seed N] [--folder DIR]

Starts tiny trainings, distillations and moment matchings (these with --evaluate-every), interrupts each at a random moment in
a random way, resumes it, interrupts it again and so on until it finishes. Its models, its newest state (weights, optimizer,
counts) and its statistics, except times, must then be the same bits as those of an uninterrupted run, and no temporary file may
be left. The ways:

    kill        SIGKILL, as by the kernel when memory runs out
    kill_save   SIGKILL while a file of a state or a model is being written
    term, int   SIGTERM, SIGINT: the program saves its state and exits with 130
    hup, pipe   the terminal is closed (SIGHUP), the reader of the progress ends: as SIGTERM
    bad_image   an image cannot be read any more: the program saves its state and exits with 1
    full_disk   the disk fills up (skipped if a tmpfs cannot be mounted)
    file_limit  files cannot grow beyond a random size
    read_only   the folders of the run become read-only
    memory      allocations fail from a random moment on

Exits with 1 if a run was lost (could not be resumed), ended with other bits or left a temporary file. Needs Python's standard
library only.
"""

import collections
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tiny_runs import INTERRUPTED, KINDS, MAX_SECONDS, World, differences, obey_permissions, only_run, outcome, parse_arguments

EVERY = ["1", "3", "20", "1s"]  # the result must not depend on when states are saved


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
        elif self.way in ("term", "int", "hup"):
            process.send_signal({"term": signal.SIGTERM, "int": signal.SIGINT, "hup": signal.SIGHUP}[self.way])
        elif self.way == "pipe":
            process.stderr.close()
        elif self.way == "bad_image":
            os.truncate(self.world.folder / "dots.npy", len(self.world.data) // 2)
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
        if self.way == "bad_image":
            (self.world.folder / "dots.npy").write_bytes(self.world.data)
        for folder, mode in self.locked:
            folder.chmod(mode)


def session(command, interruption):
    """Runs a command to its end; returns its exit code and its stderr."""
    with tempfile.TemporaryFile("w+") as stderr:
        progress = subprocess.PIPE if interruption.way == "pipe" else stderr
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=progress, preexec_fn=interruption.prepare)
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
    if way in ("term", "int", "hup", "pipe"):  # before its handler is installed, the signal kills it
        return code in (INTERRUPTED, -signal.SIGTERM, -signal.SIGINT, -signal.SIGHUP, -signal.SIGPIPE)
    if way == "memory":  # it may crash if there is no memory to report the error
        return code == 1 or code < 0
    return code == 1


def main():
    arguments, rng = parse_arguments(__doc__, "--kills", 200)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the disk is unmounted
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        world = World(arguments.program.resolve(), pathlib.Path(folder))
        try:
            return kill_runs(world, rng, arguments.kills)
        finally:
            world.disk.close()


def kill_runs(world, rng, wanted):
    ways = ["kill", "kill", "kill_save", "kill_save", "term", "int", "hup", "pipe", "bad_image", "file_limit",
            "read_only", "memory"]
    ways += ["full_disk"] if world.disk.mounted else []
    kills, runs, finished = collections.Counter(), collections.Counter(), 0
    lost, different, left = [], [], []
    while sum(kills.values()) < wanted:
        kind = rng.choice(list(KINDS))
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
        temporary = world.temporary_files(outdir)
        if temporary:
            left += temporary
            print(f"{kind}: left: {temporary}", flush=True)
    print(f"{sum(runs.values())} runs ({', '.join(f'{count} {kind}' for kind, count in sorted(runs.items()))}), {finished} finished; "
          f"{sum(kills.values())} kills: {', '.join(f'{count} {way}' for way, count in sorted(kills.items()))}")
    print(f"{len(lost)} lost, {len(different)} different, {len(left)} temporary files left")
    for kind, way, code, stderr in lost:
        print(f"lost: {kind} after {way}: exit {code}\n{stderr}")
    return 1 if lost or different or left else 0


if __name__ == "__main__":
    sys.exit(main())
