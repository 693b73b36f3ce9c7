#!/usr/bin/env python3
"""torchrun starts two processes; one is killed; torchrun starts both again and the run goes on, to the bits of one process.

    torchrun_test.py PROGRAM TORCH_DIR

Ends with 77 (skipped) where no Python belongs to that LibTorch (an unpacked libtorch has none).
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from program import Workspace, stats_of  # noqa: E402


def python_of(torch_dir):
    """Of lib/pythonX.Y/site-packages/torch: bin/python3 beside lib."""
    python = Path(torch_dir).parents[3] / "bin/python3"
    return python if python.exists() else None


def children(pid):
    return [int(child) for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()]


def rank_of(pid):
    for entry in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
        if entry.startswith(b"RANK="):
            return int(entry[5:])
    return None


class Torchrun(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.workspace = Workspace(PROGRAM, folder.name)
        self.runs = self.workspace.folder / "runs"

    def torchrun(self, *command):
        log = open(self.workspace.folder / "log.txt", "w+", encoding="utf-8")
        self.addCleanup(log.close)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        process = subprocess.Popen(
            [PYTHON, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
             "--max-restarts", "1", "--no-python", *command],
            stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
        self.addCleanup(process.kill)
        return process, log

    def test_a_rank_that_dies_is_started_again_and_the_run_goes_on(self):
        w = self.workspace
        expected = w.train("--updates", "300", "--microbatch", "4")
        os.rename(expected, w.folder / "expected")

        process, log = self.torchrun(*w.arguments("train", "--updates", "300"))
        while sum(stats.read_text().count("\n") for stats in self.runs.glob("*/stats.jsonl")) < 20:
            self.assertIsNone(process.poll(), "ended early")
            time.sleep(0.01)
        victim = next(child for child in children(process.pid) if rank_of(child) == 1)
        os.kill(victim, signal.SIGKILL)
        out, _ = process.communicate(timeout=200)
        log.seek(0)
        told = log.read()
        self.assertEqual(process.returncode, 0, told)
        self.assertIn("state saved", told)
        self.assertIn("resumed at update", told)
        self.assertNotIn("not bit-exact", told)
        runs = list(self.runs.iterdir())
        self.assertEqual(len(runs), 1, "the restart made a run of its own")
        self.assertEqual(out, f"{runs[0]}/model.safetensors\n")
        self.assertEqual([line["update"] for line in stats_of(runs[0])], list(range(1, 301)))
        self.assertEqual((runs[0] / "model.safetensors").read_bytes(),
                         (w.folder / "expected/model.safetensors").read_bytes())


if __name__ == "__main__":
    PROGRAM, TORCH_DIR = sys.argv[1:3]
    PYTHON = python_of(TORCH_DIR)
    if PYTHON is None:
        print("skipped: no Python has this LibTorch")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])
