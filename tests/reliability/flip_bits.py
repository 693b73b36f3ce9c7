#!/usr/bin/env python3
"""Flips single bits in every file of real runs, and resumes them.

    flip_bits.py HALFSTEP [--flips 20] [--seed N] [--folder DIR]

Interrupts a training from a given model, and a distillation with a conversion in its last stage. For each file of either run,
flips one bit of a copy at --flips places, the first and the last byte among them, and resumes the copy. Does the same with the
options and the given models of the runs without their saved states, as if they had been killed earlier. --flips 1 flips a bit
at one random place in each file of the distillation alone. Also samples with damaged models. The resumed run, or the samples,
must

    refuse      end with an error that names the file, or
    say         tell that something is damaged, or
    same        end with the same bits as the run without the flip: the file was not read, as the pictures, or the bit is of
                no importance.

Exits with 1 if a flip was none of these, or if the program was ended by a signal. Needs Python's standard library only.
"""

import collections
import json
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tiny_runs import MAX_SECONDS, World, checksum, differences, only_run, outcome, parse_arguments


def interrupted_run(world, kind, outdir):
    """Returns a run that was interrupted: a training in the middle, a distillation in its last stage."""
    command = world.start(kind, outdir, "5")
    if kind == "train":
        command += ["--init", world.models["train"], "--updates", "4000"]
    else:
        command += ["--student-output", "x", "--last-updates", "4000"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begun = "stage-0004/model.safetensors" if kind == "distill" else "state/slot-1/manifest.json"
    end = time.monotonic() + MAX_SECONDS
    while not any(outdir.glob("*/" + begun)) and time.monotonic() < end:
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    process.wait()
    run = only_run(outdir)
    shorten(run, kind)
    return run


def shorten(run, kind):
    """Ends the run soon after the update at which it was interrupted, so that a resume takes little time."""
    options = json.loads((run / "options.json").read_text())
    assert options["checksum"] == checksum(options), "the checksum of options.json is not as documented"
    done = max(json.loads(path.read_text())["update"] for path in run.glob("state/*/manifest.json"))
    options[kind]["updates" if kind == "train" else "last_updates"] = done + 10
    options["checksum"] = checksum(options)
    (run / "options.json").write_text(json.dumps(options, indent=2) + "\n")


def resume(world, run):
    command = [world.program, "resume", run, "--grid-images", "0"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=MAX_SECONDS)


def judge(resumed, run, expected):
    """Returns what came of a flip."""
    error = resumed.stderr.strip().splitlines()[-1:]
    if resumed.returncode < 0:
        return f"signal {-resumed.returncode}"
    if resumed.returncode != 0:
        return "refuse" if error and error[0].startswith("halfstep: error: ") else f"exit {resumed.returncode} without an error line"
    if "damaged" in resumed.stderr or "not bit-exact" in resumed.stderr:
        return "say"
    wrong = list(differences(outcome(run), expected))
    return f"silent: {wrong}" if wrong else "same"


def places(size, flips, rng):
    if size <= flips:
        return range(size)
    if flips == 1:
        return [rng.randrange(size)]
    return sorted({0, size - 1, *rng.sample(range(size), max(0, flips - 2))})


def flip_all(world, run, names, flips, rng, folder, results):
    whole = folder / "whole"
    shutil.copytree(run, whole)
    resumed = resume(world, whole)
    assert resumed.returncode == 0, resumed.stderr
    expected = outcome(whole)
    for path in sorted(path for path in run.rglob(names) if path.is_file() and path.stat().st_size > 0):
        name = path.relative_to(run)
        for place in places(path.stat().st_size, flips, rng):
            bit = rng.randrange(8)
            copy = folder / "copy"
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(run, copy)
            contents = bytearray((copy / name).read_bytes())
            contents[place] ^= 1 << bit
            (copy / name).write_bytes(contents)
            resumed = resume(world, copy)
            if name.suffix == ".png":  # nothing reads it: the other files must be the same
                shutil.copy(run / name, copy / name)
            result = judge(resumed, copy, expected)
            results[str(name).split("/")[-1]][result] += 1
            if result not in ("refuse", "say", "same"):
                print(f"{run.name}: {name}, byte {place}, bit {bit}: {result}: {resumed.stderr[:300]}", flush=True)
    shutil.rmtree(whole)


def flip_models(world, run, flips, rng, folder, results):
    """Draws images with damaged copies of the run's models, which must be refused or draw the same images."""
    def sample(model):
        images = folder / "images.npz"
        images.unlink(missing_ok=True)
        command = [world.program, "sample", "--model", model, "--steps", "2", "--force-steps", "--seeds", "0-3", "--npz", images]
        done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=MAX_SECONDS)
        return done, images.read_bytes() if images.exists() else None

    for path in sorted(run.rglob("model.safetensors")):
        whole = path.read_bytes()
        done, expected = sample(path)
        assert expected, done.stderr
        for place in places(len(whole), flips, rng):
            bit = rng.randrange(8)
            contents = bytearray(whole)
            contents[place] ^= 1 << bit
            (folder / "model.safetensors").write_bytes(contents)
            done, images = sample(folder / "model.safetensors")
            refused = done.returncode in (1, 2) and done.stderr.startswith("halfstep: error: ")
            result = "refuse" if refused else "same" if images == expected else f"other images, exit {done.returncode}"
            results["sample with a model"][result] += 1
            if result not in ("refuse", "same"):
                print(f"{path}, byte {place}, bit {bit}: {result}: {done.stderr[:300]}", flush=True)


def main():
    arguments, rng = parse_arguments(__doc__, "--flips", 20)
    results = collections.defaultdict(collections.Counter)
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = pathlib.Path(name)
        world = World(arguments.program.resolve(), folder)
        world.disk.close()
        for kind in ("train", "distill") if arguments.flips > 1 else ("distill",):
            run = interrupted_run(world, kind, folder / kind)
            flip_all(world, run, "*", arguments.flips, rng, folder, results)
            flip_models(world, run, arguments.flips, rng, folder, results)
            shutil.rmtree(run / "state")
            for names in ("options.json", "init.*" if kind == "train" else "teacher.*"):
                flip_all(world, run, names, arguments.flips, rng, folder, results)
    bad = 0
    for file, counts in sorted(results.items()):
        print(f"{file}: {', '.join(f'{count} {result}' for result, count in sorted(counts.items()))}")
        bad += sum(count for result, count in counts.items() if result not in ("refuse", "say", "same"))
    print(f"{sum(sum(counts.values()) for counts in results.values())} flips, {bad} bad")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
