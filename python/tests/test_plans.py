"""What runs will need, and how they are fitted to a budget of time."""

import json
import re
import unittest

from run_case import RunsTest
from small_net import SPEC, Labelled, net
from support import run_program

import halfstep

MIB = 1024 * 1024


class DryRun(RunsTest):
    def printed(self, command, *flags):
        """Returns the lines of the program's --dry-run by their names."""
        text = run_program(
            command, "--config", self.config, "--data", self.data, "--dry-run", *flags
        )
        lines = re.findall(r"^([a-z]+) +(.*?)(?=^[a-z]|\Z)", text, re.DOTALL | re.MULTILINE)
        return dict(lines)

    def assert_says_what_is_printed(self, plan, printed):
        self.assertEqual(plan.options, json.loads(printed["options"]))
        self.assertEqual(str(plan.parameters), printed["parameters"].strip())
        stages = "; ".join(f"{stage.name}: {stage.updates} updates" for stage in plan.stages)
        self.assertEqual(stages, printed["stages"].strip())
        self.assertIn(f"about {plan.memory / MIB:.4g} MiB", printed["memory"])
        self.assertIn(f"about {plan.disk / MIB:.4g} MiB", printed["disk"])
        work = f"{plan.updates:.4g} updates, {plan.images:.4g} images"
        self.assertIn(f"{work}, {plan.flops / plan.updates / 1e9:.4g} GFLOP", printed["work"])
        self.assertGreater(plan.seconds, 0)

    def test_says_what_the_program_prints_and_writes_nothing(self):
        plan = self.train(dry_run=True, updates=7, ema_decay=0.9)
        self.assert_says_what_is_printed(
            plan, self.printed("train", "--updates", "7", "--ema-decay", "0.9")
        )
        teacher = self.train(updates=2).folder
        before = sorted(self.folder.rglob("*"))
        plan = self.distill(teacher, dry_run=True, last_updates=9, match_updates=5)
        self.assert_says_what_is_printed(
            plan,
            self.printed(
                "distill", "--teacher", teacher, "--last-updates", "9", "--match-updates", "5"
            ),
        )
        self.assertEqual([stage.num_steps for stage in plan.stages], [4, 2, 2])
        self.assertEqual(sorted(self.folder.rglob("*")), before)

    def test_plans_of_modules(self):
        module = net()
        plan = self.distill(module, data=Labelled(), spec=SPEC, dry_run=True)
        self.assertEqual(plan.parameters, sum(p.numel() for p in module.parameters()))
        self.assertIsNone(plan.flops)
        self.assertGreater(plan.seconds, 0)

    def test_threads_are_those_of_the_run(self):
        self.assertEqual(self.train(dry_run=True, threads=3).options["threads"], 3)


class Budget(RunsTest):
    def test_multiplies_the_updates(self):
        events = []
        run = self.train(budget="1s", updates=10**9, callback=events.append)
        texts = [event.text for event in events if isinstance(event, halfstep.Message)]
        self.assertRegex(texts[0], r"^budget: all updates would take about .* hours; multiplying")
        updates = json.loads((run.folder / "options.json").read_text())["train"]["updates"]
        self.assertLess(updates, 10**5)
        self.assertLess(self.train(budget="1s", updates=10**9, dry_run=True).updates, 10**5)

    def test_of_a_module(self):
        options = {"data": Labelled(), "spec": SPEC, "dry_run": True, "budget": "1h"}
        plan = self.distill(net(), updates_per_stage=2, **options)
        self.assertGreater(plan.stages[0].updates, 100)

    def test_what_is_no_time_is_refused(self):
        for budget in ("500", "soon", ""):
            with self.assertRaisesRegex(halfstep.ConfigError, r"\[budget\] expected a time.*30m"):
                self.train(budget=budget)


if __name__ == "__main__":
    unittest.main()
