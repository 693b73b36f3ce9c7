#!/usr/bin/env python3
"""Watches the memory of a long run.

    soak.py HALFSTEP [--minutes 120] [--folder DIR]

Runs a tiny distillation over eight stages for about the given time, with a state every second and a line of statistics every
update. If the machine is busy and the run takes longer, SIGTERM ends it. Prints its resident memory over time. Exits with 1
if the mean of the last tenth of the time is more than 2 % and more than 2 MiB above the mean of the fifth tenth; earlier,
allocators are still growing. Needs Python's standard library only.
"""

import argparse
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from tiny_runs import INTERRUPTED, World, only_run

STAGES = 8


def resident_mib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return None  # the process has ended


def mean(values):
    return sum(values) / len(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--folder", type=pathlib.Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        world = World(arguments.program.resolve(), folder)
        world.disk.close()
        probe = (only_run(folder / "expected-distill") / "stats.jsonl").read_text().splitlines()[-1]
        updates = int(arguments.minutes * 60 / (json.loads(probe)["seconds"] / json.loads(probe)["total_updates"]) / STAGES)
        command = world.start("distill", folder / "soak", "1s")
        command += ["--start-steps", str(2**STAGES), "--end-steps", "1", "--updates-per-stage", str(updates), "--last-updates", str(updates)]
        stderr = open(folder / "stderr.txt", "w+")
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
        begin, samples = time.monotonic(), []
        while process.poll() is None:
            time.sleep(min(5.0, arguments.minutes * 60 / 200))
            memory = resident_mib(process.pid)
            if memory is not None:
                samples.append(memory)
            if time.monotonic() - begin > arguments.minutes * 60:
                process.send_signal(signal.SIGTERM)
                process.wait()
        seconds = time.monotonic() - begin
        if process.returncode not in (0, INTERRUPTED):
            print(f"the program exited with {process.returncode}: {(folder / 'stderr.txt').read_text()[-1000:]}")
            return 1
        lines = [json.loads(line) for line in (only_run(folder / "soak") / "stats.jsonl").read_text().splitlines()]
        stages = {line["num_steps"] for line in lines}
        tenth = max(1, len(samples) // 10)
        tenths = [mean(samples[i:i + tenth]) for i in range(0, tenth * 10, tenth)]
        print(f"{len(lines)} updates, {len(stages)} of {STAGES} stages, {seconds / 60:.1f} minutes; resident MiB, mean of each "
              "tenth of the time: " + ", ".join(f"{value:.1f}" for value in tenths) + f"; maximum: {max(samples):.1f}")
        growth = tenths[-1] - tenths[4]
        print(f"growth from the fifth tenth to the last: {growth:+.2f} MiB")
        return 1 if growth > max(2.0, 0.02 * tenths[4]) else 0


if __name__ == "__main__":
    sys.exit(main())
