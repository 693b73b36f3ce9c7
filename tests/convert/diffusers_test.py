#!/usr/bin/env python3
"""diffusers samples from an exported folder what halfstep samples from the model.

    diffusers_test.py PROGRAM GOLDEN_FOLDER [OTHER_PYTHON]

Needs the packages diffusers and torch, of this Python or of OTHER_PYTHON; ends with 77 (skipped) where neither has them.
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

try:
    import numpy
    import torch
    from diffusers import DDIMPipeline
    from diffusers.pipelines.ddim import pipeline_ddim
except ImportError as error:
    other = sys.argv[3] if len(sys.argv) > 3 else ""
    if os.path.exists(other) and not os.environ.get("HALFSTEP_OTHER_PYTHON"):
        os.environ["HALFSTEP_OTHER_PYTHON"] = other  # so that it is tried once
        os.execv(other, [other, *sys.argv])
    print(f"skipped: {error}; pip install diffusers torch")
    sys.exit(77)

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "report"))
from program import CONFIG, Workspace

COUNT = 8
# A level of 255 is 1/127.5; images that lie between two are rounded to either.
ONE_LEVEL = 1


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = Path(cls.folder.name)
        cls.workspace = Workspace(PROGRAM, cls.path)
        cls.teacher = cls.workspace.train("--updates", "150") / "model.safetensors"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def convert(self, source, name):
        out = self.path / name
        self.workspace.run([PROGRAM, "convert", "--from", source, "--to", out])
        return out

    def noise(self, *shape):
        path = self.path / "noise.npy"
        numpy.save(path, numpy.random.default_rng(0).standard_normal((COUNT, *shape), dtype=numpy.float32))
        return path

    def ours(self, model, noise, *more):
        out = self.path / "ours.npz"
        self.workspace.run([PROGRAM, "sample", "--model", model, "--noise", noise, "--seeds", f"0-{COUNT - 1}", "--npz",
                            out, "--precision", "fp32", "--threads", "1", *more])
        return numpy.load(out)["arr_0"]

    def of_pipeline(self, folder, noise, steps):
        """Returns the rounded uint8 images of DDIMPipeline, which starts from the given noise."""
        pipeline = DDIMPipeline.from_pretrained(folder)
        pipeline.set_progress_bar_config(disable=True)
        z = torch.from_numpy(numpy.load(noise))
        with mock.patch.object(pipeline_ddim, "randn_tensor", lambda *_, **__: z):
            images = pipeline(batch_size=COUNT, num_inference_steps=steps, output_type="np").images
        return (images * 255).round().astype(numpy.uint8)

    def of_script(self, folder, noise, *more):
        out = self.path / "theirs.npz"
        self.workspace.run([sys.executable, folder / "sample.py", "--noise", noise, "--out", out, *more])
        return numpy.load(out)["arr_0"]

    def expect_same(self, ours, theirs):
        self.assertGreater(ours.std(), 10, "images of one shade say nothing")
        difference = numpy.abs(ours.astype(int) - theirs.astype(int))
        self.assertLessEqual(difference.max(), ONE_LEVEL)
        self.assertLess((difference > 0).mean(), 0.05)

    def expect_exported(self, model, name, noise, steps, *ours):
        folder = self.convert(model, name)
        self.expect_same(self.ours(model, noise, "--no-clip", *ours), self.of_pipeline(folder, noise, steps))
        self.expect_same(self.ours(model, noise, *ours),
                         self.of_script(folder, noise, "--steps", str(steps)))

    def test_a_teacher_samples_the_same_with_and_without_clipping(self):
        self.expect_exported(self.teacher, "teacher", self.noise(1, 4, 4), 10, "--steps", "10")

    def test_a_student_samples_the_same_at_its_own_steps(self):
        run = self.workspace.distill(self.teacher, "--updates-per-stage", "20", "--last-updates", "20")
        student = run / "stage-0004/model.safetensors"
        noise = self.noise(1, 4, 4)
        self.expect_exported(student, "student", noise, 4)
        # the script knows the steps
        self.expect_same(self.ours(student, noise), self.of_script(self.path / "student", noise))

    def test_labels_and_the_null_label_are_the_same(self):
        (self.path / "tiny.json").write_text(self.config_with_classes())
        numpy.save(self.path / "dots.labels.npy", numpy.arange(64) % 3)
        model = self.workspace.train("--updates", "150") / "model.safetensors"
        folder = self.convert(model, "classes")
        noise = self.noise(1, 4, 4)
        for label in ["2", "none"]:
            self.expect_same(self.ours(model, noise, "--steps", "4", "--class", label),
                             self.of_script(folder, noise, "--steps", "4", "--class", label))

    @staticmethod
    def config_with_classes():
        import json
        return json.dumps({**CONFIG, "conditional": True})

    def test_an_imported_model_goes_back(self):
        for name, shape in [("first", (3, 8, 8)), ("bare_middle", (1, 8, 8))]:
            model = self.path / f"{name}.safetensors"
            self.workspace.run([PROGRAM, "convert", "--from", GOLDEN / "diffusers" / name, "--to", model])
            self.expect_exported(model, name, self.noise(*shape), 5, "--steps", "5")


if __name__ == "__main__":
    PROGRAM = Path(sys.argv[1]).resolve()
    GOLDEN = Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
