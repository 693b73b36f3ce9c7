"""Makes tiny real runs with the program, for the end-to-end tests of this folder."""

import json
import struct
import subprocess
from pathlib import Path

CONFIG = {
    "output": "v",
    "network": {"image_size": 4, "in_channels": 1, "ch": 32, "emb_ch": 32, "ch_mult": [1],
                "num_res_blocks": 1, "attn_resolutions": []},
    "train": {"batch": 8, "lr": 1e-3, "updates": 12, "precision": "fp32", "log_every": 1},
    "distill": {"method": "halving", "batch": 8, "anneal": True, "precision": "fp32", "start_steps": 8, "end_steps": 2,
                "log_every": 1, "checkpoint_every": "50"},
}


def write_images(path, count=64, side=4):
    """Writes a .npy file (version 1.0) of pseudo-random uint8 [count, side, side, 1]."""
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, {side}, {side}, 1), }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    pixels = bytes((i * i * 7 + i * 13) >> 3 & 255 for i in range(count * side * side))
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + pixels)


class Workspace:
    """A folder with a data set and a configuration, in which the program is run."""

    def __init__(self, program, folder):
        self.program = program
        self.folder = Path(folder)
        write_images(self.folder / "dots.npy")
        (self.folder / "tiny.json").write_text(json.dumps(CONFIG))

    def arguments(self, command, *more):
        return [self.program, command, "--config", self.folder / "tiny.json", "--data",
                self.folder / "dots.npy", "--outdir", self.folder / "runs", "--threads", "1", *more]

    def run(self, arguments, code=0):
        """Runs a command, requires exit code `code` and returns its stdout."""
        done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, f"{arguments} exited with {done.returncode}: {done.stderr}"
        return done.stdout

    def train(self, *more):
        """Trains and returns the run's folder."""
        return Path(self.run(self.arguments("train", *more)).strip()).parent

    def distill(self, teacher, *more):
        """Distils and returns the run's folder."""
        return Path(self.run(self.arguments("distill", "--teacher", teacher, *more)).strip()).parents[1]


def stats_of(run):
    return [json.loads(line) for line in (run / "stats.jsonl").read_text().splitlines()]


def saved_updates(run):
    """Returns the number of updates in the newest saved state."""
    return max((json.loads(path.read_text())["total_updates"]
                for path in run.glob("state/slot-*/manifest.json")), default=0)
