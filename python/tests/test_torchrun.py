"""Two processes of torchrun end with the bits of one that computes two microbatches."""

import subprocess
import sys
import unittest
from pathlib import Path

from run_case import RunsTest, bytes_of


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


if __name__ == "__main__":
    unittest.main()
