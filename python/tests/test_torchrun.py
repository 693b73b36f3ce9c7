"""Two processes of torchrun end with the bits of one that computes two microbatches."""

import subprocess
import sys
import unittest
from pathlib import Path

from run_case import RunsTest, bytes_of
from small_net import SPEC, Labelled, net


class Torchrun(RunsTest):
    def torchrun(self, code):
        """Runs the code in two processes and returns the run's folder, which it prints."""
        script = self.folder / "script.py"
        script.write_text(code)
        command = [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
            script, self.data, self.config, self.folder / "two",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        self.assertEqual(done.returncode, 0, done.stderr)
        return Path(done.stdout.strip())

    def test_two_processes_are_one(self):
        expected = self.train(microbatch=4)
        code = (
            "import sys, halfstep\n"
            "run = halfstep.train(sys.argv[1], config=sys.argv[2], outdir=sys.argv[3],"
            " progress=False, grid_images=0)\n"
            "if run.folder: print(run.folder)\n"
        )
        self.assertEqual(bytes_of(self.torchrun(code)), bytes_of(expected.folder))

    def test_two_processes_distil_a_module_as_one_does(self):
        options = {"start_steps": 8, "end_steps": 2, "updates_per_stage": 6}
        options |= {"data": Labelled(), "spec": SPEC}
        expected = self.distill(net(), microbatch=4, **options)
        code = (
            f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
            "import halfstep\n"
            "from small_net import SPEC, Labelled, net\n"
            "run = halfstep.distill(net(), Labelled(), spec=SPEC, config=sys.argv[2],"
            " outdir=sys.argv[3], start_steps=8, end_steps=2, updates_per_stage=6,"
            " progress=False, grid_images=0)\n"
            "if run.folder: print(run.folder)\n"
        )
        self.assert_same_models(expected, self.torchrun(code))


if __name__ == "__main__":
    unittest.main()
