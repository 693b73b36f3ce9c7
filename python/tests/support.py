"""What the tests share: the program that they compare with, and its files."""

import ast
import os
import subprocess
import zipfile
from pathlib import Path

import torch

SOURCE = Path(__file__).parents[2]
MODELS = SOURCE / "models"
PROGRAM = os.environ["HALFSTEP_PROGRAM"]


def run_program(*arguments, **options):
    """Runs the program with as many threads as torch has here, and returns its stdout."""
    command = [PROGRAM, *map(str, arguments)]
    environment = {**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=300, env=environment, **options
    )
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def read_npz(path):
    """Returns the arrays of an .npz that the program wrote, as tensors."""
    dtypes = {"|u1": torch.uint8, "<f4": torch.float32, "<i8": torch.int64}
    tensors = {}
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            size = int.from_bytes(data[8:10], "little")
            header = ast.literal_eval(data[10 : 10 + size].decode())
            values = torch.frombuffer(bytearray(data[10 + size :]), dtype=dtypes[header["descr"]])
            tensors[name.removesuffix(".npy")] = values.reshape(header["shape"])
    return tensors
