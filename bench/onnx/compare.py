#!/usr/bin/env python3
"""Compares halfstep with ONNX Runtime in one run: sampling with one model, alternating.

    bench/onnx/compare.py HALFSTEP [--model MODEL] [--rounds N] [--threads LIST] [--json FILE]

Needs the packages numpy and onnxruntime. Each round measures ONNX Runtime (one process per number of threads, which
stays alive; only one works at a time) and halfstep in fp32 and in the precision that it chooses (`halfstep bench`, one
process per round). The table has the medians over the rounds of the medians of each round, and the ratios. Times from
different runs are not comparable: quote the ratios.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BATCHES = [1, 64]
RUNS = 5  # timed repetitions per round


def serve(path, threads):
    """Answers each line of stdin, a batch size, with the median time in ms."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    generator = numpy.random.default_rng(0)

    def draw(value, batch):
        shape = [batch if size == "batch" else size for size in value.shape]
        if value.type == "tensor(int64)":
            return numpy.zeros(shape, dtype=numpy.int64)
        return generator.standard_normal(shape, dtype=numpy.float32)

    for line in sys.stdin:
        batch = int(line)
        inputs = {value.name: draw(value, batch) for value in session.get_inputs()}
        session.run(None, inputs)  # warms up
        times = []
        for _ in range(RUNS):
            begin = time.perf_counter()
            session.run(None, inputs)
            times.append(1000 * (time.perf_counter() - begin))
        print(statistics.median(times), flush=True)


class Runtime:
    """A process that runs the file."""

    def __init__(self, path, threads):
        self.name = "ONNX Runtime"
        self.process = subprocess.Popen([sys.executable, __file__, "--serve", path, str(threads)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self):
        times = {}
        for batch in BATCHES:
            self.process.stdin.write(f"{batch}\n")
            self.process.stdin.flush()
            times[batch] = float(self.process.stdout.readline())
        return times


class Halfstep:
    """The program in one precision."""

    def __init__(self, a, folder, threads, steps, precision):
        self.name, self.steps, self.report = f"halfstep, {precision}", steps, folder / "bench.json"
        self.command = [a.halfstep, "bench", "--model", a.model, "--threads", threads, "--precision", precision,
                        "--only", "sample", "--runs", RUNS, "--json", self.report]

    def measure(self):
        run(*self.command)
        report = json.loads(self.report.read_text())
        self.name = "halfstep, " + report["precision"]
        return {result["batch"]: result["median_ms"] for result in report["results"] if result["steps"] == self.steps}


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def measure(a, folder):
    """Returns the times in ms, by threads, subject and batch: a list with one for each round."""
    onnx = folder / "model.onnx"
    run(a.halfstep, "convert", "--from", a.model, "--to", onnx)
    steps = int(next(line for line in run(a.halfstep, "info", onnx).splitlines() if line.startswith("steps")).split()[1])
    times = {}
    for threads in a.threads:
        subjects = [Runtime(onnx, threads), *(Halfstep(a, folder, threads, steps, p) for p in ["fp32", "auto"])]
        measured = [{batch: [] for batch in BATCHES} for _ in subjects]
        for number in range(a.rounds):
            print(f"threads {threads}, round {number + 1} of {a.rounds}", file=sys.stderr, flush=True)
            for subject, values in zip(subjects, measured):
                for batch, time_ms in subject.measure().items():
                    values[batch].append(time_ms)
        subjects[0].process.stdin.close()
        times[threads] = {subject.name: values for subject, values in zip(subjects, measured)}
    return times


def print_table(times):
    columns = [(threads, batch) for threads in times for batch in BATCHES]
    cell = lambda values: f"{statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f})"
    print("| | " + " | ".join(f"{t} thread{'s' * (t > 1)}, {b} image{'s' * (b > 1)}" for t, b in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    subjects = list(next(iter(times.values())))
    for subject in subjects:
        print(f"| {subject} | " + " | ".join(cell(times[t][subject][b]) for t, b in columns) + " |")
    for subject in subjects[1:]:
        ratios = [statistics.median(x / y for x, y in zip(times[t][subjects[0]][b], times[t][subject][b]))
                  for t, b in columns]
        print(f"| ONNX Runtime divided by {subject} | " + " | ".join(f"{ratio:.2f}" for ratio in ratios) + " |")


def main():
    if sys.argv[1:2] == ["--serve"]:
        return serve(sys.argv[2], int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("halfstep", help="the program")
    parser.add_argument("--model", default="models/fashion-4-steps", help="default: models/fashion-4-steps")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--threads", type=lambda text: [int(part) for part in text.split(",")], default=[1, 2],
                        help="default: 1,2")
    parser.add_argument("--json", type=Path, help="also write the times of all rounds to this file")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times = measure(a, Path(folder))
    print_table(times)
    if a.json:
        a.json.write_text(json.dumps(times, indent=1))


if __name__ == "__main__":
    main()
