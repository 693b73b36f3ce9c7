"""Runs from Python end with the bits of the program, whatever interrupts them."""

import contextlib
import importlib.util
import io
import json
import signal
import subprocess
import sys
import time
import unittest

import torch
import write_options
from run_case import Memory, Numbers, RunsTest
from support import read_npz, run_program

import halfstep


class SameBits(RunsTest):
    def test_train_and_distill_are_those_of_the_program(self):
        trained = self.program("train", "--seed", "3", "--ema-decay", "0.9")
        run = self.train(seed=3, ema_decay=0.9)
        self.assert_same_models(run, trained)

        distilled = self.program(
            "distill", "--teacher", trained, "--updates-per-stage", "5", "--checkpoint-every", "2"
        )
        for teacher in (trained, run.folder, run.model):
            student = self.distill(teacher, updates_per_stage=5, checkpoint_every=2)
            self.assert_same_models(student, distilled)
        self.assertEqual(student.model.spec.num_steps, 2)

    def test_restored_images_are_those_of_the_program(self):
        trained = self.program("train", "--condition", "inpainting", "--no-conditional")
        run = self.train(condition="inpainting", conditional=False)
        self.assert_same_models(run, trained)

        restored = self.folder / "restored.npz"
        run_program(
            "sample", "--model", trained, "--steps", "2", "--npz", restored,
            "--input", self.data, "--degrade",
        )  # fmt: skip
        whole = Memory(self.data, 4).images
        images = run.model.sample(range(len(whole)), steps=2, input=whole, degrade=True)
        expected = read_npz(restored)["arr_0"].permute(0, 3, 1, 2)
        self.assertTrue(torch.equal(images, expected))

        image = whole[:1]
        mask = torch.zeros(1, 1, 4, 4, dtype=torch.uint8)
        mask[..., 2:] = 255
        filled = run.model.sample([3, 9], steps=2, input=image, mask=mask)
        self.assertTrue(torch.equal(filled[..., :2], image.expand(2, -1, -1, -1)[..., :2]))
        with self.assertRaisesRegex(halfstep.ConfigError, "expected a mask"):
            run.model.sample([3], steps=2, input=image)
        with self.assertRaisesRegex(halfstep.ConfigError, "super-resolution:FACTOR"):
            self.train(condition="sharpen")

    def test_the_method_is_chosen_as_the_program_chooses_it(self):
        trained = self.train().folder
        flags = (
            "--teacher",
            trained,
            "--start-steps",
            "4",
            "--end-steps",
            "2",
        )
        flags += ("--updates-per-stage", "2", "--batch", "8")
        distilled = self.program("distill", *flags, config="small")
        student = self.distill(
            trained, config="small", start_steps=4, end_steps=2, updates_per_stage=2, batch=8
        )
        self.assert_same_models(student, distilled)
        self.assertEqual(
            (student.folder / "options.json").read_bytes(),
            (distilled / "options.json").read_bytes(),
        )

    def test_a_student_can_start_from_another(self):
        teacher = self.train()
        student = self.distill(teacher.folder, updates_per_stage=3)
        flags = ("--teacher", teacher.folder, "--init", student.folder, "--method", "direct")
        expected = self.program("distill", *flags, "--updates-per-stage", "4")
        again = self.distill(
            teacher.model, init=student.model, method="direct", updates_per_stage=4
        )
        self.assert_same_models(again, expected)


class InMemory(RunsTest):
    def test_data_sets_in_memory_are_those_in_files(self):
        expected = self.train()
        memory = self.train(data=Memory(self.data, 4))
        self.assert_same_weights(memory, expected)
        student = self.distill(expected.model, updates_per_stage=3, random_flip=False)
        for data in (Memory(self.data, 4), Numbers(self.data, 4)):
            other = self.distill(
                expected.model, data=data, updates_per_stage=3, random_flip=False, workers=2
            )
            self.assert_same_weights(other, student)

    def test_an_exception_of_the_data_set_ends_the_run(self):
        data = Memory(self.data, 4)
        expected = self.train(data=data, updates=12)

        class Failing(Memory):
            fails = False
            reads = 0

            def __getitem__(self, index):
                self.reads += 1
                if self.fails and self.reads > 40:
                    raise RuntimeError("the disk is gone")
                return super().__getitem__(index)

        failing = Failing(self.data, 4)

        def fail_from_now(event):
            failing.fails = isinstance(event, halfstep.Update)

        with self.assertRaisesRegex(RuntimeError, "the disk is gone"):
            self.train(data=failing, callback=fail_from_now)
        folder = sorted((self.folder / "runs").iterdir())[-1]
        with self.assertRaisesRegex(halfstep.ConfigError, "data"):
            halfstep.resume(folder, progress=False)
        run = halfstep.resume(folder, data=data, progress=False, grid_images=0)
        self.assert_same_weights(run, expected)


class Interrupted(RunsTest):
    def test_an_exception_of_the_callback_ends_the_run_and_resume_continues(self):
        expected = self.train()

        class StopError(Exception):
            pass

        def stop(event):
            if isinstance(event, halfstep.Update) and event.update == 7:
                raise StopError

        with self.assertRaises(StopError):
            self.train(callback=stop)
        folder = sorted((self.folder / "runs").iterdir())[-1]
        updates = []
        run = halfstep.resume(
            folder,
            progress=False,
            grid_images=0,
            callback=lambda event: updates.append(getattr(event, "update", None)),
        )
        self.assertEqual([update for update in updates if update], [8, 9, 10, 11, 12])
        self.assert_same_models(run, expected.folder)

    def interrupt(self, number):
        """Sends the signal to a process that trains; returns its exit code and stderr."""
        code = (
            "import sys, halfstep\n"
            "def started(event):\n"
            "    if isinstance(event, halfstep.Update): print(event.update, flush=True)\n"
            "halfstep.train(sys.argv[1], config=sys.argv[2], outdir=sys.argv[3], updates=100_000,"
            " progress=False, callback=started)\n"
        )
        command = [sys.executable, "-c", code, self.data, self.config, self.folder / "runs"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        while process.stdout.readline().strip() != "20":
            self.assertIsNone(process.poll())
        process.send_signal(number)
        _, error = process.communicate(timeout=60)
        return process.returncode, error

    def test_signals_save_the_state_and_raise_keyboard_interrupt(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            code, error = self.interrupt(number)
            self.assertEqual(code, -signal.SIGINT, error)  # as Python itself ends after Ctrl-C
            self.assertIn("KeyboardInterrupt: the state is saved; halfstep.resume(", error)
            folder = sorted((self.folder / "runs").iterdir())[-1]
            manifests = list(folder.glob("state/slot-*/manifest.json"))
            done = max(json.loads(path.read_text())["total_updates"] for path in manifests)
            self.assertGreaterEqual(done, 20)
            run = halfstep.resume(folder, updates=done + 5, progress=False, grid_images=0)
            self.assert_same_weights(run, self.train(updates=done + 5))

    def test_handlers_are_restored(self):
        # A shell lets its background jobs ignore Ctrl-C.
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
        self.train(updates=1)
        self.assertEqual(
            (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)), before
        )
        with self.assertRaises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            time.sleep(1)


class Events(RunsTest):
    def test_the_callback_hears_of_everything_in_order(self):
        events = []
        run = self.train(updates=4, snapshot_every=2, callback=events.append)
        self.assertEqual(events[0], halfstep.Begin(run.folder, 0))
        updates = [event for event in events if isinstance(event, halfstep.Update)]
        self.assertEqual([update.update for update in updates], [1, 2, 3, 4])
        self.assertEqual({update.updates for update in updates}, {4})
        self.assertTrue(all(update.loss > 0 and update.lr == 1e-3 for update in updates))
        snapshots = [event for event in events if isinstance(event, halfstep.Snapshot)]
        self.assertEqual(snapshots[0].total_updates, 2)
        ends = [event for event in events if isinstance(event, halfstep.StageEnd)]
        self.assertEqual([end.folder for end in ends], [run.folder])
        images = ends[0].model.sample([0], steps=2)
        self.assertTrue(torch.equal(images, run.model.sample([0], steps=2)))
        texts = [event.text for event in events if isinstance(event, halfstep.Message)]
        self.assertTrue(any("finished after 4 updates" in text for text in texts), texts)

    def test_the_number_of_threads_stays(self):
        before = torch.get_num_threads()
        run = self.train(updates=2, threads=before + 1)
        options = json.loads((run.folder / "options.json").read_text())
        self.assertEqual(options["threads"], before + 1)
        self.assertEqual(torch.get_num_threads(), before)


class Progress(RunsTest):
    @unittest.skipUnless(importlib.util.find_spec("tqdm"), "tqdm is not installed")
    def test_a_bar_shows_each_stage_and_the_messages(self):
        with contextlib.redirect_stderr(io.StringIO()) as shown:
            teacher = self.train(updates=3, progress=True)
            self.distill(teacher.model, updates_per_stage=2, progress=True)
        for part in (
            f"run {teacher.folder}",
            "training: ",
            "3/3",
            "loss=",
            "8 -> 4 steps: ",
            "2/2",
        ):
            self.assertIn(part, shown.getvalue())
        self.assertIn("stage 4 -> 2 steps finished after", shown.getvalue())


class Options(RunsTest):
    def test_wrong_options_are_one_clear_line(self):
        for words, options in (
            (["updatse", "updates"], {"updatse": 4}),
            (["updates", "an integer", "four"], {"updates": "four"}),
            (["weighting", "snr_trunc"], {"weighting": "trunc"}),
            (["checkpoint_every", "500", "weekly"], {"checkpoint_every": "weekly"}),
            (["lr", "number", "list"], {"lr": [1e-3]}),
            (["batch", "0"], {"batch": 0}),
            (["config", "tinny"], {"config": "tinny"}),
            (["image_size", "in memory"], {"data": Memory(self.data, 4), "image_size": 8}),
            (["path", "int"], {"data": 4}),
            (["grid_images", "-1"], {"grid_images": -1}),
        ):
            with self.subTest(options=options):
                with self.assertRaises(halfstep.ConfigError) as caught:
                    self.train(**options)
                for word in ("expected", "received", *words):
                    self.assertIn(word, str(caught.exception))
                self.assertNotIn("\n", str(caught.exception))
        self.assertFalse((self.folder / "runs").exists())

    def test_types_are_those_of_the_library(self):
        self.assertEqual(write_options.TARGET.read_text(), write_options.text())


if __name__ == "__main__":
    unittest.main()
