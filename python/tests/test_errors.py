"""Wrong arguments are Python exceptions with one clear line."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import torch
from support import MODELS

import halfstep

STUDENT = MODELS / "fashion-4-steps"
TEACHER = MODELS / "fashion-teacher"


class Errors(unittest.TestCase):
    def assert_one_line(self, kind, words, call):
        with self.assertRaises(kind) as caught:
            call()
        message = str(caught.exception)
        self.assertIsInstance(caught.exception, halfstep.Error)
        self.assertRegex(message, r"^\[.+\] .*expected .*received ")
        self.assertNotIn("\n", message)
        for word in words:
            self.assertIn(word, message)

    def test_kinds_are_those_of_python_too(self):
        self.assertTrue(issubclass(halfstep.ConfigError, ValueError))
        self.assertTrue(issubclass(halfstep.FormatError, ValueError))
        self.assertTrue(issubclass(halfstep.IoError, OSError))

    def test_files(self):
        with tempfile.TemporaryDirectory() as folder:
            missing = Path(folder) / "none.safetensors"
            self.assert_one_line(OSError, ["none.safetensors"], lambda: halfstep.load(missing))
            damaged = Path(folder) / "damaged.safetensors"
            damaged.write_bytes((STUDENT / "model.safetensors").read_bytes()[:1000])
            self.assert_one_line(
                halfstep.FormatError, ["damaged.safetensors"], lambda: halfstep.load(damaged)
            )
            model = halfstep.load(STUDENT)
            self.assert_one_line(
                halfstep.IoError,
                ["absent"],
                lambda: model.save(Path(folder) / "absent/a.safetensors"),
            )

    def test_options_of_load(self):
        self.assert_one_line(
            ValueError, ["fp32", "fp8"], lambda: halfstep.load(STUDENT, precision="fp8")
        )
        self.assert_one_line(
            ValueError, ["config"], lambda: halfstep.load(STUDENT, config="cifar10")
        )

    def test_options_of_sample(self):
        student, teacher = halfstep.load(STUDENT), halfstep.load(TEACHER)
        for words, model, options in (
            (["steps", "none"], teacher, {}),
            (["steps", "4", "8", "force_steps"], student, {"steps": 8}),
            (["sampler", "ddim", "euler"], student, {"sampler": "euler"}),
            (["spacing", "logsnr"], student, {"spacing": "karras"}),
            (["class", "0 to 9", "10"], student, {"class_labels": 10}),
            (["class", "Bag", "'Bags'"], student, {"class_labels": "Bags"}),
            (["class_labels", "1 seeds", "2"], student, {"class_labels": [1, 2]}),
            (["batch", "0"], student, {"batch": 0}),
            (["noise", "[1, 1, 28, 28]"], student, {"noise": torch.zeros(1, 2)}),
            (["noise", "finite"], student, {"noise": torch.full([1, 1, 28, 28], float("nan"))}),
        ):
            with self.subTest(options=options):
                self.assert_one_line(
                    halfstep.ConfigError, words, lambda m=model, o=options: m.sample([0], **o)
                )
        for seeds in (4, [-1], [2**64], [0.5]):
            with self.subTest(seeds=seeds):
                self.assert_one_line(
                    halfstep.ConfigError, ["seeds"], lambda s=seeds: student.sample(s)
                )

    def test_options_of_denoise(self):
        model = halfstep.load(TEACHER)
        z = torch.zeros(2, 1, 28, 28)
        for words, arguments in (
            (["z"], {"z": torch.zeros(2, 3, 28, 28), "logsnr": 0.0}),
            (["phi"], {"z": z, "logsnr": torch.zeros(3)}),
            (["class_labels", "2 examples"], {"z": z, "logsnr": 0.0, "class_labels": [1]}),
            (["class", "0 to 9"], {"z": z, "logsnr": 0.0, "class_labels": -3}),
            (["guidance"], {"z": z, "logsnr": 0.0, "guidance": float("inf")}),
        ):
            with self.subTest(words=words):
                self.assert_one_line(
                    halfstep.ConfigError, words, lambda a=arguments: model.denoise(**a)
                )

    def test_what_a_format_cannot_hold(self):
        model = halfstep.load(TEACHER)
        with tempfile.TemporaryDirectory() as folder:
            self.assert_one_line(
                ValueError, ["steps"], lambda: model.save_onnx(Path(folder) / "a.onnx")
            )
            (Path(folder) / "notes.txt").write_text("mine")
            self.assert_one_line(ValueError, [folder], lambda: model.save_diffusers(folder))


class Import(unittest.TestCase):
    """The error of an environment whose torch is not the one that the package was built for."""

    def imported_with(self, torch_code):
        with tempfile.TemporaryDirectory() as folder:
            code = f"import sys; sys.path.insert(0, {folder!r}); import halfstep"
            if torch_code is None:
                code = "import sys; sys.modules['torch'] = None; import halfstep"
            else:
                (Path(folder) / "torch.py").write_text(torch_code)
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        return done.stderr.splitlines()[-1]

    def test_another_version_is_one_clear_line(self):
        line = self.imported_with("__version__ = '2.1.0+cu118'")
        self.assertRegex(
            line,
            r"^ImportError: \[halfstep\] torch: expected torch 2\.\d+, received 2\.1\.0\+cu118;",
        )

    def test_no_torch_is_one_clear_line(self):
        line = self.imported_with(None)
        self.assertRegex(
            line, r"^ImportError: \[halfstep\] torch: expected torch 2\.\d+, received none;"
        )


if __name__ == "__main__":
    unittest.main()
