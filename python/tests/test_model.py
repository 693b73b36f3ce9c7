"""Models in Python are those of the program, to the bit."""

import tempfile
import unittest
from pathlib import Path

import torch
from support import MODELS, SOURCE, read_npz, run_program

import halfstep

STUDENT = MODELS / "fashion-4-steps"
TEACHER = MODELS / "fashion-teacher"
DIFFUSERS = SOURCE / "tests/golden/diffusers/classes"


class ModelTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def drawn_by_program(self, model, *flags):
        """Returns the images [N, C, H, W] and labels that `halfstep sample` draws."""
        path = self.folder / "samples.npz"
        run_program("sample", "--model", model, "--npz", path, *flags)
        arrays = read_npz(path)
        return arrays["arr_0"].permute(0, 3, 1, 2), arrays["arr_1"]

    def assert_same_images(self, images, expected):
        self.assertEqual(images.dtype, torch.uint8)
        self.assertTrue(torch.equal(images, expected))


class Sample(ModelTest):
    def test_draws_the_bits_of_the_program(self):
        model = halfstep.load(STUDENT)
        images, labels = self.drawn_by_program(STUDENT, "--seeds", "3-8")
        self.assert_same_images(model.sample(range(3, 9)), images)
        self.assert_same_images(model.sample(range(3, 9), class_labels=labels), images)
        self.assert_same_images(model.sample(torch.arange(3, 9), class_labels=list(labels)), images)

    def test_every_option_has_the_meaning_of_its_flag(self):
        model = halfstep.load(TEACHER, precision="fp32")
        images, _ = self.drawn_by_program(
            TEACHER, "--seeds", "5-9", "--steps", "3", "--class", "Bag", "--guidance", "2.5",
            "--sampler", "ancestral", "--variance", "0.5", "--spacing", "logsnr", "--no-clip",
            "--batch", "2", "--precision", "fp32",
        )  # fmt: skip
        options = {
            "steps": 3, "class_labels": "Bag", "guidance": 2.5, "sampler": "ancestral",
            "variance": 0.5, "spacing": "logsnr", "no_clip": True, "batch": 2,
        }  # fmt: skip
        self.assert_same_images(model.sample(range(5, 10), **options), images)
        others = {
            "steps": 4, "class_labels": "Coat", "guidance": 2.0, "sampler": "ddim",
            "variance": 0.1, "spacing": "time", "no_clip": False, "batch": 5,
        }  # fmt: skip
        for name, other in others.items():
            if name == "batch":  # which may change nothing
                continue
            changed = model.sample(range(5, 10), **{**options, name: other})
            self.assertFalse(torch.equal(changed, images), name)

    def test_starts_from_the_given_noise(self):
        model = halfstep.load(STUDENT, precision="fp32")
        noise = torch.randn(2, *model.spec.shape, generator=torch.Generator().manual_seed(1))
        images = model.sample([0, 1], class_labels=3, noise=noise)
        self.assertTrue(
            torch.equal(images, model.sample([0, 1], class_labels=3, noise=noise.double()))
        )
        self.assertFalse(torch.equal(images, model.sample([0, 1], class_labels=3)))

    def test_each_seed_can_have_its_own_class(self):
        model = halfstep.load(STUDENT, precision="fp32")
        images = model.sample([1, 2, 3], class_labels=["Bag", None, 2])
        for row, label in enumerate([8, "none", "Pullover"]):
            alone = model.sample([1, 2, 3], class_labels=label)
            self.assertTrue(torch.equal(images[row], alone[row]))

    def test_callback_hears_of_every_batch_and_can_end_the_sampling(self):
        model = halfstep.load(STUDENT)
        done = []
        model.sample(range(5), batch=2, callback=done.append)
        self.assertEqual(done, [2, 4, 5])

        def interrupt(count):
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            model.sample(range(5), batch=2, callback=interrupt)

    def test_images_can_be_changed_in_place(self):
        images = halfstep.load(STUDENT).sample([0])
        images.add_(1)
        self.assertFalse(images.is_inference())


class Denoise(ModelTest):
    def test_one_step_from_noise_is_its_prediction_of_x(self):
        model = halfstep.load(TEACHER, precision="fp32")
        noise = torch.randn(2, *model.spec.shape, generator=torch.Generator().manual_seed(1))
        images = model.sample(
            [0, 1], steps=1, class_labels=[1, 2], guidance=3.0, noise=noise, no_clip=True
        )
        predicted = model.denoise(noise, -20.0, class_labels=[1, 2], guidance=3.0)
        self.assertTrue(
            torch.equal((predicted.x * 127.5 + 128).floor().clamp(0, 255).byte(), images)
        )

    def test_x_and_eps_make_z(self):
        model = halfstep.load(TEACHER, precision="fp32")
        logsnr = torch.tensor([-3.0, 0.0, 5.0])
        phi = torch.atan(torch.exp(-logsnr / 2))[:, None, None, None]
        z = torch.randn(3, *model.spec.shape, generator=torch.Generator().manual_seed(2))
        for labels in (None, "none", 4, [0, None, "Bag"]):
            x, eps = model.denoise(z, logsnr, class_labels=labels)
            torch.testing.assert_close(phi.cos() * x + phi.sin() * eps, z, rtol=1e-5, atol=1e-5)
            self.assertFalse(x.requires_grad)

    def test_without_a_class_is_the_null_class(self):
        model = halfstep.load(TEACHER, precision="fp32")
        z = torch.zeros(1, *model.spec.shape)
        default = model.denoise(z, 0.0).x
        self.assertTrue(torch.equal(default, model.denoise(z, 0.0, class_labels="none").x))
        self.assertFalse(torch.equal(default, model.denoise(z, 0.0, class_labels=0).x))


class Files(ModelTest):
    def test_a_saved_model_is_the_same_file(self):
        model = halfstep.load(STUDENT)
        model.save(self.folder / "copy.safetensors")
        run_program("convert", "--from", STUDENT, "--to", self.folder / "by_program.safetensors")
        saved = (self.folder / "copy.safetensors").read_bytes()
        self.assertEqual(saved, (self.folder / "by_program.safetensors").read_bytes())

    def test_onnx_files_are_those_of_the_program(self):
        for name, options, flags in (
            ("sampler", {"guidance": 2.0}, ["--guidance", "2"]),
            ("network", {"network": True}, ["--network"]),
        ):
            halfstep.load(STUDENT).save_onnx(self.folder / f"{name}.onnx", **options)
            by_program = self.folder / f"{name}_by_program.onnx"
            run_program("convert", "--from", STUDENT, "--to", by_program, *flags)
            self.assertEqual((self.folder / f"{name}.onnx").read_bytes(), by_program.read_bytes())

    def test_diffusers_folders_go_both_ways(self):
        model = halfstep.load(DIFFUSERS)
        model.save_diffusers(self.folder / "pipeline")
        weights = "unet/diffusion_pytorch_model.safetensors"
        self.assertEqual(
            (self.folder / "pipeline" / weights).stat().st_size,
            (DIFFUSERS / weights).stat().st_size,
        )
        again = halfstep.load(self.folder / "pipeline")
        self.assertTrue(torch.equal(again.sample([1], steps=2), model.sample([1], steps=2)))

    def test_what_an_import_changes_is_a_warning(self):
        with self.assertWarnsRegex(UserWarning, "clip_sample false is not kept: .* no_clip"):
            halfstep.load(DIFFUSERS.with_name("defaults"))

    def test_weights_are_copies(self):
        model = halfstep.load(STUDENT, precision="fp32")
        before = model.sample([0])
        for tensor in model.weights().values():
            self.assertEqual(tensor.dtype, torch.float32)
            tensor.zero_()
        self.assertTrue(torch.equal(model.sample([0]), before))


class SpecTest(ModelTest):
    def test_tells_what_the_model_is(self):
        spec = halfstep.load(STUDENT).spec
        self.assertEqual(spec.shape, (1, 28, 28))
        self.assertEqual((spec.output, spec.num_steps, spec.sampler), ("v", 4, "ancestral"))
        self.assertEqual(spec.schedule, halfstep.CosineSchedule(-20.0, 20.0))
        self.assertTrue(spec.images and spec.has_null_class)
        self.assertEqual(spec.num_classes, 10)
        self.assertEqual(spec.class_names[8], "Bag")
        self.assertEqual(spec.network["type"], "unet")
        self.assertEqual(spec.origin["data"], "fashion-mnist")

    def test_tells_the_schedule_of_diffusers(self):
        schedule = halfstep.load(DIFFUSERS).spec.schedule
        self.assertIsInstance(schedule, halfstep.LinearBetaSchedule | halfstep.TableSchedule)

    def test_precision_and_device_are_as_asked(self):
        model = halfstep.load(STUDENT, precision="fp32")
        self.assertEqual((model.precision, model.device), ("fp32", torch.device("cpu")))
        self.assertEqual(model.to("cpu", "bf16").precision, "bf16")
        self.assertEqual(repr(model), "<halfstep.Model: 4 steps, 1 x 28 x 28, fp32 on cpu>")


if __name__ == "__main__":
    unittest.main()
