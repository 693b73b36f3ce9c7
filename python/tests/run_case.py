"""Tiny runs from Python and with the program, for the tests of this folder."""

import json
import sys
import tempfile
import unittest
from pathlib import Path

import torch
from support import SOURCE, run_program

import halfstep

sys.path.insert(0, str(SOURCE / "tests/report"))
from program import CONFIG, write_images


def bytes_of(path):
    return (path / "model.safetensors").read_bytes() if path.is_dir() else path.read_bytes()


class Memory:
    """The images of the data set in a .npy file of uint8 [N, H, W, 1], in memory."""

    def __init__(self, path, side):
        data = path.read_bytes()
        pixels = data[10 + int.from_bytes(data[8:10], "little") :]
        self.images = torch.frombuffer(bytearray(pixels), dtype=torch.uint8)
        self.images = self.images.reshape(-1, 1, side, side)

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        return self.images[index]


class Numbers(Memory):
    """The same images as numbers in [-1, 1]."""

    def __getitem__(self, index):
        return self.images[index] / 127.5 - 1


class RunsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.data = self.folder / "dots.npy"
        write_images(self.data)
        self.config = self.folder / "tiny.json"
        self.config.write_text(json.dumps(CONFIG))

    def program(self, command, *flags, config=None):
        """Runs the program and returns the run's folder."""
        out = run_program(
            command, "--config", config or self.config, "--data", self.data, "--outdir",
            self.folder / "by_program", *flags,
        )  # fmt: skip
        return next(path for path in Path(out.strip()).parents if (path / "options.json").exists())

    def arguments(self, **options):
        return {
            "data": self.data,
            "config": self.config,
            "outdir": self.folder / "runs",
            "progress": False,
            "grid_images": 0,
            **options,
        }

    def train(self, **options):
        return halfstep.train(**self.arguments(**options))

    def distill(self, teacher, **options):
        return halfstep.distill(teacher, **self.arguments(**options))

    def assert_same_models(self, run, expected):
        """Requires the same models, to the byte, in the folders of two runs."""
        names = sorted(path.relative_to(expected) for path in expected.rglob("model.safetensors"))
        self.assertTrue(names)
        for name in names:
            self.assertEqual(bytes_of(run.folder / name), bytes_of(expected / name), name)

    def assert_same_weights(self, run, expected):
        for name, weight in expected.model.weights().items():
            self.assertTrue(torch.equal(run.model.weights()[name], weight), name)
