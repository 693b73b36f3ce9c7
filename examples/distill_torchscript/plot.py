"""plot.py OUT.png TITLE=FILE ... : plots points side by side, four plots per row. FILE is an .npy or an .npz of halfstep sample."""

import sys

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt  # noqa: E402

COLUMNS = 4

out, *arguments = sys.argv[1:]
panels = [argument.split("=", 1) for argument in arguments]
rows = -(-len(panels) // COLUMNS)
figure, axes = plt.subplots(rows, COLUMNS, figsize=(2.2 * COLUMNS, 2.4 * rows), squeeze=False)
for axis, (title, path) in zip(axes.flat, panels):
    points = np.load(path) if path.endswith(".npy") else np.load(path)["arr_0"]
    points = points[:5000]
    axis.scatter(points[:, 0], points[:, 1], s=0.4, linewidths=0, color="black")
    axis.set(title=title, xlim=(-2.6, 2.6), ylim=(-2.6, 2.6), aspect="equal", xticks=[], yticks=[])
figure.tight_layout()
figure.savefig(out, dpi=100)
