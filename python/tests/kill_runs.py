"""Kills a run that distils a module, at random moments, until it is finished.

kill_runs.py [--kills N] [--seed S]

Half of the kills are SIGKILL, half Ctrl-C. The run must end with the bits of one that nothing
interrupted.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OPTIONS = {
    "start_steps": 8, "end_steps": 2, "updates_per_stage": 100, "last_updates": 150,
    "match_updates": 60, "batch": 8, "checkpoint_every": 7, "precision": "fp32",
    "method": "halving",
}  # fmt: skip


def child(outdir):
    """Distils, or resumes the run that another process has begun; prints when updates begin."""
    from small_net import SPEC, Labelled, net

    import halfstep

    def started(event):
        if isinstance(event, halfstep.Begin):
            print("begun", flush=True)

    settings = {"progress": False, "grid_images": 0, "callback": started}
    begun = [path.parent for path in Path(outdir).glob("*/options.json")]
    if begun:
        settings |= {"teacher_factory": lambda: net(seed=9), "data": Labelled()}
        halfstep.resume(begun[0], **settings)
    else:
        halfstep.distill(net(), Labelled(), spec=SPEC, outdir=outdir, **settings, **OPTIONS)


def start(outdir):
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", __file__, "--child", outdir],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline() == "begun\n", process.communicate()[1]
    return process


def models(outdir):
    """Returns the models of the only run in a folder, by their names."""
    (run,) = [path.parent for path in Path(outdir).glob("*/options.json")]
    return {path.relative_to(run): path.read_bytes() for path in run.glob("stage-*/model.*")}


def main(kills, seed):
    draw = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        process = start(f"{folder}/expected")
        assert process.wait() == 0, process.stderr.read()
        expected = models(f"{folder}/expected")
        seconds = time.monotonic() - began
        done = 0
        while done < kills:
            outdir, finished = f"{folder}/{done}", False
            while not finished:
                process = start(outdir)
                number = 0
                try:
                    process.wait(draw.uniform(0, seconds / 3) if done < kills else None)
                except subprocess.TimeoutExpired:
                    number = signal.SIGKILL if draw.random() < 0.5 else signal.SIGINT
                    process.send_signal(number)
                    process.wait(60)
                if process.returncode == 0:  # before a signal, if there was one
                    finished = True
                else:
                    assert process.returncode == -number, process.stderr.read()
                    done += 1
            assert models(outdir) == expected, "the run ended with other bits"
    print(f"{done} kills: the same bits")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--child", metavar="FOLDER")
    arguments = parser.parse_args()
    if arguments.child:
        child(arguments.child)
    else:
        main(arguments.kills, arguments.seed)
