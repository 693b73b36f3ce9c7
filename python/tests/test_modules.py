"""Modules of PyTorch as models: what they compute, what is refused, and what runs make of them."""

import copy
import math
import tempfile
import unittest
import warnings
from pathlib import Path

import torch
from plain_unet import PlainUNet
from run_case import Memory, RunsTest
from small_net import SPEC, Labelled, net
from torch import nn

import halfstep


def spec_of(model):
    spec = model.spec
    return halfstep.Spec(
        shape=spec.shape, output=spec.output, schedule=spec.schedule, condition=spec.condition
    )


class FromModule(unittest.TestCase):
    def test_predictions_are_those_of_the_module(self):
        module = net()
        model = halfstep.from_module(module, SPEC)
        z = torch.randn(3, 1, 4, 4)
        logsnr = torch.tensor([-2.0, 0.0, 3.0])
        phi = torch.atan(torch.exp(-logsnr.double() / 2))[:, None, None, None].float()
        for labels, given in (([0, None, 2], [0, -1, 2]), (None, [-1, -1, -1])):
            with torch.no_grad():
                v = module(z, logsnr, torch.tensor(given))
            x, eps = model.denoise(z, logsnr, class_labels=labels)
            torch.testing.assert_close(x, phi.cos() * z - phi.sin() * v)
            torch.testing.assert_close(eps, phi.sin() * z + phi.cos() * v)
        self.assertEqual(model.sample([1, 2], steps=3).shape, (2, 1, 4, 4))

    def test_the_module_is_copied_and_left_as_it_is(self):
        module = net(extra=nn.Dropout(0.5))
        with self.assertWarnsRegex(UserWarning, "evaluation mode, because dropout .*extra"):
            model = halfstep.from_module(module, SPEC)
        self.assertTrue(module.training)
        self.assertTrue(all(parameter.requires_grad for parameter in module.parameters()))
        before = model.sample([1], steps=2)
        with torch.no_grad():
            module.last.weight.zero_()
        self.assertTrue(torch.equal(model.sample([1], steps=2), before))

    def test_only_what_requires_a_gradient_is_trained(self):
        module = net()
        module.time.requires_grad_(False)
        names = halfstep.from_module(module, SPEC).weights().keys()
        self.assertEqual({name.split(".")[0] for name in names}, {"first", "label", "last"})

    def test_files_hold_the_weights_and_need_the_module(self):
        model = halfstep.from_module(net(), SPEC)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.safetensors"
            model.save(path)
            again = halfstep.load(path, module=net(seed=2))
            self.assertTrue(torch.equal(again.sample([1], steps=2), model.sample([1], steps=2)))
            self.assertIn("Net", again.spec.network["code"])
            with self.assertRaisesRegex(halfstep.ConfigError, "not in its file"):
                halfstep.load(path)
            with self.assertRaisesRegex(halfstep.FormatError, "label.weight"):
                halfstep.load(path, module=net(classes=5))
            with self.assertRaisesRegex(halfstep.ConfigError, "code"):
                model.save_diffusers(Path(folder) / "pipeline")

    def assert_refused(self, words, module, spec=SPEC):
        with self.assertRaises(halfstep.ConfigError) as caught:
            halfstep.from_module(module, spec)
        for word in ("expected", "received", *words):
            self.assertIn(word, str(caught.exception))

    def test_what_is_refused(self):
        self.assert_refused(["extra", "batch norm", "eval()"], net(extra=nn.BatchNorm2d(8)))
        halfstep.from_module(net(extra=nn.BatchNorm2d(8)).eval(), SPEC)
        stateless = nn.BatchNorm2d(8, track_running_stats=False)
        self.assert_refused(["batch norm"], net(extra=stateless).eval())
        self.assert_refused(["require a gradient"], net().requires_grad_(False))
        self.assert_refused(["first.weight", "float32", "float64"], net().double())
        self.assert_refused(["output of forward", "[3, 2, 4, 4]"], net(), two_outputs())
        broken = net()
        with torch.no_grad():
            broken.last.bias.fill_(math.nan)
        self.assert_refused(["last.bias", "finite"], broken)

        class Noisy(nn.Module):
            def forward(self, h):
                return h + torch.rand(1)

        self.assert_refused(["random numbers"], net(extra=Noisy()))

        class Counting(nn.Module):
            def __init__(self):
                super().__init__()
                self.register_buffer("calls", torch.zeros(1))

            def forward(self, h):
                self.calls += 1
                return h

        self.assert_refused(["buffer"], net(extra=Counting()))

    def test_an_exception_of_the_module_is_that_of_the_call(self):
        class Failing(nn.Module):
            fails = False

            def forward(self, h):
                if self.fails:
                    raise LookupError("no such weight")
                return h

        model = halfstep.from_module(net(extra=Failing()), SPEC)
        self.addCleanup(setattr, Failing, "fails", False)
        Failing.fails = True
        with self.assertRaisesRegex(LookupError, "no such weight"):
            model.sample([0], steps=1)


def weight_of(run):
    return run.model.weights()["last.weight"]


def two_outputs():
    return halfstep.Spec(shape=(1, 4, 4), output="x_and_eps", num_classes=3)


class Distilled(RunsTest):
    def test_ends_where_our_own_network_ends(self):
        teacher = self.train().model
        module = PlainUNet(teacher)
        options = {"start_steps": 4, "end_steps": 2, "last_updates": 50, "precision": "fp32"}
        options["lr"] = 5e-5
        ours = self.distill(teacher, **options)
        before = copy.deepcopy(module.state_dict())
        theirs = self.distill(module, spec=spec_of(teacher), **options)
        weights = list(theirs.model.weights().values())
        for (name, mine), other in zip(ours.model.weights().items(), weights, strict=True):
            torch.testing.assert_close(other, mine, rtol=0, atol=1e-5, msg=name)
        moved = [
            (weight - start).abs().max()
            for weight, start in zip(weights, before.values(), strict=True)
        ]
        self.assertGreater(max(moved), 1e-3)  # far more than the tolerance
        for name, weight in module.state_dict().items():
            self.assertTrue(torch.equal(weight, before[name]))

    def test_images_are_restored_as_by_our_own_network(self):
        teacher = self.train(condition="inpainting", conditional=False, updates=20).model
        self.assertEqual(teacher.spec.condition, "inpainting")
        images = Memory(self.data, 4).images[:8]
        options = {"start_steps": 4, "end_steps": 2, "last_updates": 5, "precision": "fp32"}
        students = [
            self.distill(teacher, **options).model,
            self.distill(PlainUNet(teacher), spec=spec_of(teacher), **options).model,
        ]
        drawn = [model.sample(range(8), input=images, degrade=True) for model in students]
        self.assertLessEqual((drawn[0].int() - drawn[1].int()).abs().max(), 1)
        self.assertTrue((drawn[0] == images).any())  # the known pixels
        self.assertFalse(torch.equal(drawn[0], images))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "net.safetensors"
            students[1].save(path)
            again = halfstep.load(path, module=PlainUNet(teacher))
            self.assertEqual(again.spec.condition, "inpainting")
            again_drawn = again.sample(range(8), input=images, degrade=True)
            self.assertTrue(torch.equal(again_drawn, drawn[1]))

    def test_resumes_with_a_factory_to_the_same_bits(self):
        options = {"start_steps": 8, "end_steps": 2, "updates_per_stage": 6, "last_updates": 8}
        options |= {"method": "halving", "match_updates": 24, "spec": SPEC, "data": Labelled()}
        expected = self.distill(net(), **options)

        def stop_at(update):
            def callback(event):
                if isinstance(event, halfstep.Update) and event.update == update:
                    raise InterruptedError

            return callback

        for update in (3, 7, 23):  # of stages of 6, 8 and 24 updates
            with self.assertRaises(InterruptedError):
                self.distill(net(), callback=stop_at(update), **options)
            folder = sorted((self.folder / "runs").iterdir())[-1]
            with self.assertRaisesRegex(halfstep.ConfigError, r"\[resume\] teacher_factory"):
                halfstep.resume(folder, data=Labelled(), progress=False)
            run = halfstep.resume(
                folder,
                teacher_factory=lambda: net(seed=9),
                data=Labelled(),
                progress=False,
                grid_images=0,
            )
            self.assert_same_models(run, expected.folder)

    def test_a_student_can_start_from_a_module(self):
        options = {"spec": SPEC, "data": Labelled(), "method": "direct", "updates_per_stage": 4}
        options |= {"start_steps": 4, "end_steps": 2}
        start = net(seed=2)
        expected = self.distill(net(), init=halfstep.from_module(start, SPEC), **options)
        run = self.distill(net(), init=start, **options)
        self.assert_same_models(run, expected.folder)
        other = self.distill(net(), init=net(seed=3), **options)
        self.assertFalse(torch.equal(weight_of(run), weight_of(other)))
        with self.assertRaisesRegex(halfstep.ConfigError, r"\[distill\] init: expected a model"):
            self.distill(run.model, init=start, data=Labelled())
        with self.assertRaisesRegex(halfstep.ConfigError, r"\[train\] init: expected a model"):
            self.train(init=start)

    def test_a_module_needs_a_spec(self):
        with self.assertRaisesRegex(halfstep.ConfigError, r"\[distill\] spec: expected .* None"):
            self.distill(net())
        with self.assertRaisesRegex(halfstep.ConfigError, "spec: expected none"):
            self.distill("teacher", spec=SPEC)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    unittest.main()
