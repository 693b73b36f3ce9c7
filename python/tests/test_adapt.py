"""Modules that were written for other conventions, as halfstep calls them."""

import math
import unittest

import torch
from small_net import net
from torch import nn

import halfstep


class Adapt(unittest.TestCase):
    def test_a_discrete_eps_network_predicts_what_it_predicts(self):
        schedule = halfstep.LinearBetaSchedule()
        squares = (1 - torch.linspace(1e-4, 0.02, 1000).double()).cumprod(0)
        seen = []

        class Exact(nn.Module):
            """The exact eps for data N(0, 1 / 4), at whole timesteps."""

            def __init__(self):
                super().__init__()
                self.gain = nn.Parameter(torch.ones(1))

            def forward(self, x, timestep, labels):
                seen.append((timestep, labels))
                square = squares[timestep.long()].float()[:, None, None, None]
                eps = (1 - square).sqrt() * x / (square / 4 + 1 - square)
                return torch.cat([self.gain * eps, torch.zeros_like(eps)], dim=1)

        module = halfstep.adapt(
            Exact(), schedule=schedule, shape=(1, 4, 4), num_classes=3, null_label=3
        )
        self.assertEqual(module.spec.output, "eps")
        model = halfstep.from_module(module, module.spec)
        timesteps = torch.tensor([0, 1, 500, 999])
        square = squares[timesteps]
        z = torch.randn(4, 1, 4, 4)
        x, _ = model.denoise(z, torch.log(square / (1 - square)), class_labels=[0, None, 2, None])
        self.assertEqual(seen[-1][0].tolist(), timesteps.tolist())
        self.assertEqual(seen[-1][1].tolist(), [0, 3, 2, 3])
        square = square.float()[:, None, None, None]
        expected = square.sqrt() * z / 4 / (square / 4 + 1 - square)
        torch.testing.assert_close(x, expected, rtol=1e-4, atol=1e-4)

    def test_time_runs_from_0_to_1_along_the_schedule(self):
        class Time(nn.Module):
            def __init__(self):
                super().__init__()
                self.gain = nn.Parameter(torch.ones(1))

            def forward(self, x, time):
                return (self.gain * time[:, None, None, None].expand_as(x), None)

        table = halfstep.TableSchedule.of_alphas_cumprod([0.9, 0.5, 0.1])
        for schedule, logsnr, time in (
            (halfstep.CosineSchedule(None, None), 0.0, 0.5),
            (table, math.log(0.9 / 0.1), 1 / 3),
            (table, math.log(0.5 / 0.5), 2 / 3),
        ):
            module = halfstep.adapt(
                Time(), schedule=schedule, shape=(3, 4, 4), time="t", output="v"
            )
            raw = module(torch.zeros(1, 3, 4, 4), torch.tensor([logsnr]))
            torch.testing.assert_close(raw, torch.full((1, 3, 4, 4), time))

    def test_objects_with_a_sample_are_those_of_diffusers(self):
        class Output:
            def __init__(self, sample):
                self.sample = sample

        class Diffusers(nn.Module):
            def forward(self, x, timestep):
                return Output(2 * x)

        module = halfstep.adapt(
            Diffusers(), schedule=halfstep.LinearBetaSchedule(), shape=(3, 4, 4)
        )
        z = torch.ones(1, 3, 4, 4)
        self.assertTrue(torch.equal(module(z, torch.zeros(1)), 2 * z))

    def test_a_condition_follows_x_on_the_channel_axis(self):
        class Sum(nn.Module):
            def __init__(self):
                super().__init__()
                self.gain = nn.Parameter(torch.ones(1))

            def forward(self, x, time):
                return self.gain * x[:, :3] + x[:, 3:6] + x[:, 6:]

        module = halfstep.adapt(
            Sum(), schedule=halfstep.CosineSchedule(), shape=(3, 4, 4), time="t", output="v",
            condition="inpainting",
        )  # fmt: skip
        z, image, mask = torch.rand(2, 3, 4, 4), torch.rand(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
        raw = module(z, torch.zeros(2), condition=torch.cat([image, mask], dim=1))
        torch.testing.assert_close(raw, z + image + 1)
        model = halfstep.from_module(module, module.spec)
        # x and eps of v, at alpha = sigma = sqrt(1 / 2); without the tensor nothing is known.
        x, eps = model.denoise(z, 0.0, condition=torch.cat([image, mask], dim=1))
        torch.testing.assert_close(eps - x, math.sqrt(2) * raw)
        x, eps = model.denoise(z, 0.0)
        torch.testing.assert_close(eps - x, math.sqrt(2) * z)
        with self.assertRaisesRegex(halfstep.ConfigError, "condition: expected .*, received"):
            model.denoise(z, 0.0, condition=image)

    def test_what_is_refused(self):
        for condition, error in (
            ("sharpen", halfstep.FormatError),
            ("super-resolution:3", halfstep.ConfigError),
        ):
            with self.assertRaisesRegex(error, "condition.*: expected .*, received"):
                halfstep.from_module(net(), halfstep.Spec(shape=(1, 4, 4), condition=condition))
        with self.assertRaisesRegex(halfstep.ConfigError, "time: expected t or logsnr"):
            halfstep.adapt(net(), schedule=halfstep.CosineSchedule(), shape=(1, 4, 4))
        with self.assertRaisesRegex(halfstep.ConfigError, "time: expected timestep, t or logsnr"):
            halfstep.adapt(net(), schedule=halfstep.CosineSchedule(), shape=(1, 4, 4), time="k")


if __name__ == "__main__":
    unittest.main()
