"""The examples run, with few updates, and what they say of their results is so."""

import contextlib
import importlib.util
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

import torch
from support import SOURCE

import halfstep

sys.path.insert(0, str(SOURCE / "examples/python"))
from common import FOLDER

EXAMPLES = SOURCE / "examples/python"
TINY = {"updates": 2, "updates_per_stage": 2, "batch": 4}
HAS_DIFFUSERS = importlib.util.find_spec("diffusers") is not None
HAS_MATPLOTLIB = importlib.util.find_spec("matplotlib") is not None


def run_main(name, folder):
    """Runs an example and returns what it prints and the folder of its run."""
    example = importlib.import_module(name)
    example.STEPS = 8
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
        example.main(outdir=folder, **TINY)
    (run,) = Path(folder).iterdir()
    return printed.getvalue(), run


@unittest.skipUnless(FOLDER.exists(), "needs Debian's package dataset-fashion-mnist")
class Examples(unittest.TestCase):
    def check(self, name):
        with tempfile.TemporaryDirectory() as folder:
            printed, run = run_main(name, folder)
            self.assertIn("the student's 4 steps", printed)
            self.assertTrue((run / "stage-0004/samples.png").exists())
            if name == "distil_diffusers":
                self.assertTrue((run / "pipeline.png").exists())
                self.assertTrue((run / "pipeline/model_index.json").exists())

    def test_a_unet_of_plain_pytorch(self):
        self.check("distil_my_unet")

    def test_a_dit(self):
        self.check("distil_dit")

    @unittest.skipUnless(HAS_DIFFUSERS, "needs diffusers")
    def test_a_unet_of_diffusers(self):
        self.check("distil_diffusers")

    @unittest.skipUnless(HAS_MATPLOTLIB, "needs matplotlib")
    def test_the_notebook(self):
        cells = json.loads((EXAMPLES / "distil.ipynb").read_text())["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        os.environ["MPLBACKEND"] = "agg"
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir(EXAMPLES)
        with tempfile.TemporaryDirectory() as folder:
            changes = {"UPDATES_PER_STAGE = 40": "UPDATES_PER_STAGE = 1"}
            changes |= {'OUTDIR = "runs"': f"OUTDIR = {folder!r}", "range(24)": "range(12)"}
            for before, after in changes.items():
                self.assertIn(before, code[0])
                code[0] = code[0].replace(before, after)
            namespace = {}
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                for source in code:
                    exec(source, namespace)
        self.assertIn("student, 4 steps:", printed.getvalue())
        self.assertEqual(list(namespace["losses"])[-1], "8 -> 4 steps")

    @unittest.skipUnless(HAS_DIFFUSERS, "needs diffusers")
    def test_the_pipeline_draws_what_the_model_draws(self):
        from distil_diffusers import SIZE, DDPMScheduler, make_unet, pipeline_of

        torch.manual_seed(0)
        unet, scheduler = make_unet(), DDPMScheduler()
        schedule = halfstep.TableSchedule.of_alphas_cumprod(scheduler.alphas_cumprod)
        teacher = halfstep.adapt(unet, schedule=schedule, shape=(1, SIZE, SIZE))
        model = halfstep.from_module(teacher, teacher.spec)
        pipeline = pipeline_of(unet, scheduler)
        pipeline.set_progress_bar_config(disable=True)
        drawn = pipeline(
            batch_size=4, num_inference_steps=4, use_clipped_model_output=True, output_type="np",
            generator=torch.Generator().manual_seed(1),
        ).images  # fmt: skip
        noise = torch.randn(4, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(1))
        ours = model.sample(range(4), steps=4, noise=noise).permute(0, 2, 3, 1)
        theirs = (torch.from_numpy(drawn) * 255).round()
        self.assertLessEqual((ours.float() - theirs).abs().max(), 1)


if __name__ == "__main__":
    unittest.main()
