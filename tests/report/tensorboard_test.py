#!/usr/bin/env python3
"""Compares a run's event files, as TensorBoard reads them, with its stats.jsonl and samples.png.

    tensorboard_test.py PROGRAM [OTHER_PYTHON]

Needs the package tensorboard in this Python or in OTHER_PYTHON; exits with 77 (skipped) if neither has it.
"""

import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

try:
    from tensorboard.backend.event_processing import event_accumulator, event_file_loader
except ImportError as error:
    other = sys.argv[2] if len(sys.argv) > 2 else ""
    if os.path.exists(other) and not os.environ.get("HALFSTEP_OTHER_PYTHON"):
        os.environ["HALFSTEP_OTHER_PYTHON"] = other  # try it only once
        os.execv(other, [other, *sys.argv])
    print(f"skipped: {error}; pip install tensorboard")
    sys.exit(77)

from program import Workspace, saved_updates, stats_of

SCALARS = ["loss", "grad_norm", "lr", "images_per_second"]


def accumulated(run):
    """Returns what TensorBoard shows for a run."""
    everything = {event_accumulator.SCALARS: 0, event_accumulator.IMAGES: 0}
    return event_accumulator.EventAccumulator(str(run), size_guidance=everything).Reload()


def event_files(run):
    return sorted(run.glob("events.out.tfevents.*"))


def raw_steps(path):
    """Returns the steps of all losses in a file, including those that TensorBoard drops."""
    return [event.step for event in event_file_loader.LegacyEventFileLoader(str(path)).Load()
            for value in event.summary.value if value.tag == "loss"]


def float32(number):
    return struct.unpack("<f", struct.pack("<f", number))[0]


class TensorBoardEvents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.workspace = Workspace(PROGRAM, cls.folder.name)
        cls.training = cls.workspace.train("--updates", "12")
        cls.teacher = cls.training / "model.safetensors"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def expect_shown(self, run, tags, pictures):
        """Expects one point per line of stats.jsonl, and `pictures`: pairs of a step and a samples.png."""
        shown = accumulated(run)
        self.assertCountEqual(shown.Tags()["scalars"], tags)
        lines = stats_of(run)
        for tag in tags:
            self.assertEqual([(point.step, point.value) for point in shown.Scalars(tag)],
                             [(line["total_updates"], float32(line[tag])) for line in lines], tag)
        self.assertEqual([(image.step, image.encoded_image_string) for image in shown.Images("samples")],
                         [(step, path.read_bytes()) for step, path in pictures])

    def test_a_training_shows_its_lines_and_its_picture(self):
        self.assertEqual(len(stats_of(self.training)), 12)
        self.expect_shown(self.training, SCALARS, [(12, self.training / "samples.png")])
        image = accumulated(self.training).Images("samples")[0]
        self.assertEqual((image.width, image.height), (39, 39))

    def test_a_distillation_shows_all_stages_on_one_axis(self):
        run = self.workspace.distill(self.teacher, "--updates-per-stage", "6", "--last-updates", "9")
        self.expect_shown(run, [*SCALARS, "num_steps"],
                          [(6, run / "stage-0004/samples.png"), (15, run / "stage-0002/samples.png")])
        self.assertEqual([point.value for point in accumulated(run).Scalars("num_steps")],
                         [4.0] * 6 + [2.0] * 9)

    def test_a_run_that_was_killed_and_resumed_shows_every_update_once(self):
        run, killed_at = self.killed_distillation()
        saved = saved_updates(run)
        lost = [step for step in raw_steps(event_files(run)[0]) if step > saved]
        self.assertTrue(lost, f"killed at update {killed_at}, saved at {saved}: no update was lost")
        self.workspace.run([PROGRAM, "resume", run])
        self.assertEqual(len(event_files(run)), 2)
        self.assertEqual(raw_steps(event_files(run)[1])[0], saved + 1)
        pictures = [(1500, run / "stage-0004/samples.png"), (1506, run / "stage-0002/samples.png")]
        self.expect_shown(run, [*SCALARS, "num_steps"], pictures)
        self.assertEqual(len(stats_of(run)), 1506)

        # resuming a finished run adds nothing
        self.workspace.run([PROGRAM, "resume", run])
        self.assertEqual(len(event_files(run)), 2)
        self.expect_shown(run, [*SCALARS, "num_steps"], pictures)

    def killed_distillation(self):
        """Kills a distillation between two saved states; returns its folder and its last recorded update."""
        before = set((self.workspace.folder / "runs").iterdir())
        process = subprocess.Popen(
            self.workspace.arguments("distill", "--teacher", self.teacher, "--updates-per-stage", "1500",
                                     "--last-updates", "6", "--checkpoint-every", "100"),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline and process.poll() is None:
                for run in set((self.workspace.folder / "runs").iterdir()) - before:
                    stats = run / "stats.jsonl"
                    recorded = stats.read_text().count("\n") if stats.exists() else 0
                    if recorded > saved_updates(run) + 20 and recorded > 120:
                        process.send_signal(signal.SIGKILL)
                        self.assertEqual(process.wait(), -signal.SIGKILL)
                        return run, recorded
                time.sleep(0.001)
            self.fail(f"not killed in time; the program exited with {process.poll()}")
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    PROGRAM = Path(sys.argv[1]).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
