#!/usr/bin/env python3
"""Checks the program as a process: its descriptors, its signals, and processes that share a sampling.

    process_test.py HALFSTEP [--gloo]

Needs Python's standard library only. --gloo: also start two processes together.
"""

import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "reliability"))
from tiny_runs import INTERRUPTED, World, only_run  # noqa: E402

SECONDS = 60


def wait_until(condition):
    end = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def has_state(outdir):
    return any(outdir.glob("*/state/*/manifest.json"))


def long_run(world, name, **options):
    """Starts a training that only a signal ends."""
    command = world.start("train", world.folder / name, "1000h") + ["--updates", "1000000"]
    options.setdefault("stderr", subprocess.DEVNULL)
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, **options), world.folder / name


def statistics_of(outdir):
    return any(path.stat().st_size > 0 for path in outdir.glob("*/stats.jsonl"))


def closed_descriptors_get_no_file(world):
    for closed in ("2>&-", "1>&- 2>&-", "0>&- 1>&- 2>&-"):
        outdir = world.folder / f"closed{len(closed)}"
        command = [str(part) for part in world.start("train", outdir, "3")]
        subprocess.run(["sh", "-c", 'exec "$@" ' + closed, "sh", *command], timeout=SECONDS, check=False)
        run = only_run(outdir)
        for path in run.rglob("*"):
            assert not path.is_file() or b"update 1/" not in path.read_bytes() or path.name == "log.txt", path
        assert (run / "model.safetensors").read_bytes() == world.models["train"].read_bytes(), closed


def hangup_saves(world):
    process, outdir = long_run(world, "hangup")
    wait_until(lambda: statistics_of(outdir))
    process.send_signal(signal.SIGHUP)
    process.send_signal(signal.SIGHUP)
    assert process.wait(SECONDS) == INTERRUPTED, process.returncode
    assert has_state(outdir)


def hangup_that_is_ignored_does_nothing(world):
    process, outdir = long_run(world, "nohup", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    wait_until(lambda: statistics_of(outdir))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None, process.returncode
    process.terminate()
    assert process.wait(SECONDS) == INTERRUPTED, process.returncode


def reader_that_ends_saves(world):
    process, outdir = long_run(world, "pipe", stderr=subprocess.PIPE)
    process.stderr.readline()
    process.stderr.close()
    assert process.wait(SECONDS) == INTERRUPTED, process.returncode
    assert has_state(outdir)


def second_process_is_told_of_the_first(world):
    process, outdir = long_run(world, "locked")
    wait_until(lambda: statistics_of(outdir))
    second = subprocess.run([world.program, "resume", only_run(outdir)], capture_output=True, text=True, check=False)
    process.kill()
    process.wait()
    assert second.returncode == 1, second
    for words in (f"process {process.pid} on {socket.gethostname()}", "train --config"):
        assert words in second.stderr, second.stderr


def failure_at_the_start_leaves_no_run(world):
    outdir = world.folder / "failed"
    command = world.start("train", outdir, "1000") + ["--batch", str(10**12)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode in (1, 2) and finished.stderr.count("halfstep: error:") == 1, finished
    assert not any(outdir.glob("*")), list(outdir.glob("*"))


def damaged_model(world):
    """Writes a model whose predictions are not finite."""
    contents = world.models["train"].read_bytes()
    end = 8 + struct.unpack("<Q", contents[:8])[0]
    header = json.loads(contents[8:end])
    del header["__metadata__"]["halfstep.sha256"]  # which would find the change
    text = json.dumps(header).encode()
    path = world.folder / "damaged.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + struct.pack("<f", 1e30) * ((len(contents) - end) // 4))
    return path


def sample(world, model, *more, steps="2", seeds="0-7"):
    return [world.program, "sample", "--model", model, "--steps", steps, "--seeds", seeds, "--npz", world.folder / "samples.npz",
            "--threads", "1", *more]


def predictions_that_are_not_finite_are_refused(world):
    finished = subprocess.run(sample(world, damaged_model(world)), capture_output=True, text=True, check=False)
    assert finished.returncode == 1, finished
    assert "expected finite numbers" in finished.stderr and "seeds 0, 1, 2 and 5 more" in finished.stderr, finished.stderr
    noise = world.folder / "noise.npy"
    values = [float("nan") if i == 40 else 0.0 for i in range(8 * 16)]
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (8, 1, 4, 4)}"
    header += " " * (63 - (len(header) + 10) % 64) + "\n"
    noise.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + struct.pack("<128f", *values))
    finished = subprocess.run(sample(world, world.models["train"], "--noise", noise), capture_output=True, text=True, check=False)
    assert finished.returncode == 2 and "seed 2" in finished.stderr, finished


def processes_must_draw_the_same(world):
    other = only_run(world.folder / "expected-distill") / "stage-0002" / "model.safetensors"
    differing = {
        "model": [sample(world, world.models["train"], "--force-steps"), sample(world, other, "--force-steps")],
        "seeds": [sample(world, world.models["train"]), sample(world, world.models["train"], seeds="8-15")],
        "steps": [sample(world, world.models["train"]), sample(world, world.models["train"], steps="3")],
    }
    for key, commands in differing.items():
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        processes = []
        for rank, command in enumerate(commands):
            launch = {"WORLD_SIZE": "2", "RANK": str(rank), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "GLOO_SOCKET_IFNAME": "lo"}
            processes.append(subprocess.Popen(command, env=os.environ | launch, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True))
        errors = [process.communicate(timeout=SECONDS)[1] for process in processes]
        assert [process.returncode for process in processes] == [2, 2], (key, errors)
        assert f"/{key}" in errors[0], errors


def main():
    tests = [closed_descriptors_get_no_file, hangup_saves, hangup_that_is_ignored_does_nothing, reader_that_ends_saves,
             second_process_is_told_of_the_first, failure_at_the_start_leaves_no_run, predictions_that_are_not_finite_are_refused]
    tests += [processes_must_draw_the_same] if "--gloo" in sys.argv else []
    os.environ["OMP_NUM_THREADS"] = "1"
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        world = World(pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(folder))
        world.disk.close()
        for test in tests:
            try:
                test(world)
            except (AssertionError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"{test.__name__}: {error!r}")
    print(f"{len(tests)} tests, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
