#!/usr/bin/env python3
"""Kills one of two processes under torchrun, which restarts both: the run resumes and ends with the same bits.

    torchrun_test.py PROGRAM TORCH_DIR

Exits with 77 (skipped) if no Python belongs to that LibTorch, as for an unpacked libtorch.zip.
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
    """Returns bin/python3 next to the lib of lib/pythonX.Y/site-packages/torch, or None."""
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

    def test_a_killed_rank_is_restarted_and_the_run_resumes(self):
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
        output = log.read()
        self.assertEqual(process.returncode, 0, output)
        self.assertIn("the state is saved", output)
        self.assertIn("resumed at update", output)
        self.assertNotIn("not bit-exact", output)
        runs = list(self.runs.iterdir())
        self.assertEqual(len(runs), 1, "the restart created another run")
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
