#!/usr/bin/env python3
"""diffusers samples from an exported folder what halfstep samples from the model.

    diffusers_test.py PROGRAM SOURCE_FOLDER [OTHER_PYTHON]

Needs the packages diffusers and torch, of this Python or of OTHER_PYTHON; ends with 77 (skipped) where neither has them.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

FOLDER = tempfile.TemporaryDirectory()
os.environ["HF_HOME"] = FOLDER.name  # diffusers copies pipeline.py there
os.environ["HF_HUB_OFFLINE"] = "1"

try:
    import numpy
    import torch
    from diffusers import DDPMPipeline, DDPMScheduler, DiffusionPipeline, UNet2DModel
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
USUAL = 0.002  # share of the pixels whose level float32 rounding decides
NOISY = 0.01  # the same for samplers that add noise in every step


def load(folder):
    pipeline = DiffusionPipeline.from_pretrained(folder, trust_remote_code=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def pixels(images):
    return numpy.stack([numpy.asarray(image).reshape(image.height, image.width, -1) for image in images])


class Export(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.path = Path(FOLDER.name)
        cls.workspace = Workspace(PROGRAM, cls.path)

    def convert(self, source, name, *more):
        out = self.path / name
        self.workspace.run([PROGRAM, "convert", "--from", source, "--to", out, *more])
        return out

    def sample(self, model, *more, count=COUNT):
        out = self.path / "ours.npz"
        self.workspace.run([PROGRAM, "sample", "--model", model, "--seeds", f"0-{count - 1}", "--npz", out,
                            "--precision", "fp32", "--threads", "1", *more])
        return numpy.load(out)["arr_0"]

    def expect_same(self, ours, theirs, differing=USUAL):
        theirs = theirs if isinstance(theirs, numpy.ndarray) else pixels(theirs)
        self.assertEqual(ours.shape, theirs.shape)
        self.assertGreater(ours.std(), 10, "images of one shade say nothing")
        difference = numpy.abs(ours.astype(int) - theirs.astype(int))
        self.assertLessEqual(difference.max(), ONE_LEVEL)
        self.assertLess((difference > 0).mean(), differing)

    def test_every_class_of_a_student_by_the_documented_call(self):
        model = SOURCE / "models/fashion-4-steps"
        pipeline = load(self.convert(model, "fashion"))
        self.assertEqual(len(pipeline.class_names), 10)
        for name in pipeline.class_names:
            with self.subTest(name):
                images = pipeline(class_labels=name, seeds=range(COUNT)).images
                self.expect_same(self.sample(model, "--class", name), images, NOISY)
        self.expect_same(self.sample(model), pipeline(seeds=range(COUNT)).images, NOISY)  # each seed's class
        self.expect_same(self.sample(model, "--class", "none"), pipeline(class_labels="none", seeds=range(COUNT)).images, NOISY)
        with self.assertWarnsRegex(UserWarning, "distilled for 4 sampling steps, but is sampled with 5"):
            pipeline(num_inference_steps=5)
        for wrong in [{"class_labels": "Bagg"}, {"class_labels": 10}, {"num_inference_steps": 3},
                      {"seeds": range(3), "batch_size": 2}, {"output_type": "jpg"}]:
            with self.assertRaises(ValueError, msg=wrong):
                pipeline(**wrong)

    def test_a_teacher_with_guidance_and_without_clipping(self):
        model = SOURCE / "models/fashion-teacher"
        pipeline = load(self.convert(model, "teacher"))
        for ours, theirs in [([], {}), (["--no-clip"], {"clip": False}), (["--guidance", "2"], {"guidance_scale": 2.0})]:
            with self.subTest(theirs):
                images = pipeline(class_labels=8, num_inference_steps=5, seeds=range(COUNT), **theirs).images
                self.expect_same(self.sample(model, "--steps", "5", "--class", "8", *ours), images)
        with self.assertRaisesRegex(ValueError, "num_inference_steps"):
            pipeline()

    def test_models_without_classes(self):
        teacher = self.workspace.train("--updates", "150") / "model.safetensors"
        run = self.workspace.distill(teacher, "--updates-per-stage", "20", "--last-updates", "20")
        student = run / "stage-0004/model.safetensors"
        self.expect_same(self.sample(student), load(self.convert(student, "student"))(seeds=range(COUNT)).images)
        for name in ["first", "bare_middle"]:  # imported
            model = self.path / f"{name}.safetensors"
            self.workspace.run([PROGRAM, "convert", "--from", SOURCE / "tests/golden/diffusers" / name, "--to", model])
            pipeline = load(self.convert(model, name))
            images = pipeline(seeds=range(COUNT), num_inference_steps=5).images
            self.expect_same(self.sample(model, "--steps", "5"), images)

    def test_a_student_that_is_sampled_with_noise(self):
        teacher = self.workspace.train("--updates", "150") / "model.safetensors"
        run = self.workspace.distill(teacher, "--method", "moment-matching", "--end-steps", "4", "--match-updates", "40")
        student = run / "matched-0004/model.safetensors"
        folder = self.convert(student, "matched")
        pipeline = load(folder)
        for ours, theirs in [([], {}), (["--no-clip"], {"clip": False})]:
            self.expect_same(self.sample(student, *ours, count=128), pipeline(seeds=range(128), **theirs).images, NOISY)
        self.assertGreater(numpy.abs(self.sample(student).astype(int) - self.sample(teacher, "--steps", "4")).max(), 1)
        # The scheduler in the folder takes the same steps, up to rounding of float32 alphas, so that DDPMPipeline samples as
        # it must.
        plain = DDPMScheduler.from_pretrained(folder, subfolder="scheduler")
        ddim = pipeline.scheduler
        z, output, noise = torch.randn(3, 2, 1, 4, 4, generator=torch.manual_seed(0))
        for scheduler in plain, ddim:
            scheduler.set_timesteps(4)
        self.assertEqual(plain.timesteps.tolist(), ddim.timesteps.tolist())
        with mock.patch("diffusers.schedulers.scheduling_ddpm.randn_tensor", lambda *_, **__: noise):
            for t in plain.timesteps:
                step = ddim.step(output, t, z, eta=1.0, variance_noise=noise).prev_sample
                self.assertLess(float((plain.step(output, t, z).prev_sample - step).abs().max()), 1e-3)

    def test_guidance_is_part_of_the_exported_weights(self):
        random = numpy.random.default_rng(0)
        numpy.save(self.path / "noise.npy", random.integers(0, 256, (20, 28, 28, 1), dtype=numpy.uint8))
        numpy.save(self.path / "noise.labels.npy", numpy.arange(20) % 10)

        def distill(guidance):
            out = self.workspace.run([
                PROGRAM, "distill", "--teacher", SOURCE / "models/fashion-teacher", "--data", self.path / "noise.npy",
                "--outdir", self.path / "runs", "--method", "direct", "--start-steps", "8", "--end-steps", "4",
                "--guidance", guidance, "--guide-updates", "3", "--updates-per-stage", "1", "--batch", "4", "--lr", "1e-3",
                "--precision", "fp32", "--threads", "1", "--grid-images", "0"])
            return Path(out.strip())

        student = distill("1-5")
        refused = subprocess.run([PROGRAM, "convert", "--from", student, "--to", self.path / "unguided"], capture_output=True,
                                 text=True, check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("from 1 to 5", refused.stderr)
        folder = self.convert(student, "folded", "--guidance", "4")
        self.assertIn("guidance of weight 4", (folder / "README.md").read_text())
        pipeline = load(folder)
        ours = self.sample(student, "--guidance", "4")
        self.expect_same(ours, pipeline(seeds=range(COUNT)).images)
        self.expect_same(ours, pipeline(seeds=range(COUNT), guidance_scale=4).images)
        self.assertGreater((ours != self.sample(student, "--guidance", "1")).mean(), 0.01, "the weight is an input")
        with self.assertRaisesRegex(ValueError, "expected 4"):
            pipeline(guidance_scale=2)

        student = distill("2")
        pipeline = load(self.convert(student, "fixed"))
        self.expect_same(self.sample(student), pipeline(seeds=range(COUNT)).images)
        with self.assertRaisesRegex(ValueError, "expected 2"):
            pipeline(guidance_scale=1)

    def test_the_model_card_is_right(self):
        model = SOURCE / "models/fashion-2-steps"
        folder = self.convert(model, "card")
        call, recipe = [part.split("```")[0] for part in (folder / "README.md").read_text().split("```python\n")[1:]]
        was = os.getcwd()
        os.chdir(self.path)  # the card names the folder
        try:
            names = {}
            exec(call, names)
            ours = self.sample(model, "--class", "T-shirt/top", count=16)
            self.expect_same(ours, names["samples"], NOISY)
            exec(recipe, names)
            self.assertEqual(tuple(names["images"].shape), (16, 1, 28, 28))
            # The same kind of picture; the noise is another one.
            self.assertLess(abs(float(names["images"].mean()) * 255 - ours.mean()), 10)
        finally:
            os.chdir(was)

    def test_the_script_means_the_same_class_and_noise(self):
        model = self.path / "numbers.safetensors"
        with_class_names(SOURCE / "models/fashion-2-steps/model.safetensors", model, [str(9 - k) for k in range(10)])
        folder = self.convert(model, "numbers")
        numpy.save(self.path / "z.npy", numpy.random.default_rng(0).standard_normal((COUNT, 1, 28, 28), dtype=numpy.float32))
        out = self.path / "theirs.npz"
        for more in [[], ["--noise", self.path / "z.npy"]]:
            self.workspace.run([sys.executable, folder / "sample.py", "--class", "2", "--num", str(COUNT), "--out", out, *more])
            self.expect_same(self.sample(model, "--class", "2", *more), numpy.load(out)["arr_0"], NOISY)

    def test_latents_are_numbers(self):
        torch.manual_seed(0)
        unet = UNet2DModel(sample_size=8, in_channels=4, out_channels=4, block_out_channels=(8, 8), norm_num_groups=4,
                           layers_per_block=1, attention_head_dim=4, down_block_types=("DownBlock2D", "AttnDownBlock2D"),
                           up_block_types=("AttnUpBlock2D", "UpBlock2D"))
        DDPMPipeline(unet, DDPMScheduler(prediction_type="v_prediction")).save_pretrained(self.path / "latents")
        model = self.path / "latents.safetensors"
        self.workspace.run([PROGRAM, "convert", "--from", self.path / "latents", "--to", model])
        ours = self.sample(model, "--steps", "4")
        self.assertEqual((ours.dtype, ours.shape), (numpy.float32, (COUNT, 4, 8, 8)))
        theirs = load(self.convert(model, "exported"))(num_inference_steps=4, seeds=range(COUNT)).images
        self.assertGreater(ours.max(), 1.5, "not clipped")
        self.assertLess(float((torch.from_numpy(ours) - theirs).abs().max()), 1e-4)


def with_class_names(source, target, names):
    """Copies a model file with other names for its classes."""
    contents = source.read_bytes()
    size = int.from_bytes(contents[:8], "little")
    header = json.loads(contents[8:8 + size])
    spec = json.loads(header["__metadata__"]["halfstep"])
    spec["class_names"] = names
    header["__metadata__"] = {"halfstep": json.dumps(spec)}  # without the hash of the source
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    target.write_bytes(len(text).to_bytes(8, "little") + text + contents[8 + size:])


if __name__ == "__main__":
    PROGRAM = Path(sys.argv[1]).resolve()
    SOURCE = Path(sys.argv[2]).resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
