#!/usr/bin/env python3
"""Compares halfstep with PyTorch in one run: updates and 4-step sampling of one network, alternating.

First both must sample the same images from the same weights and noise. Then each round measures every PyTorch mode
(one process per mode, which stays alive; only one works at a time) and halfstep (`halfstep bench`, one process per
round). The table has the medians over the rounds of the medians of each round. Times from different runs are not
comparable: quote the ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
from torch_peer import GPU_MODES, MODES, SHAPES, STEPS

PEER = Path(__file__).with_name("torch_peer.py")
RUNS = 3  # timed repetitions per round
# The values that limit LibTorch's own kernels and oneDNN's; none of them has bf16 instructions.
INSTRUCTION_SETS = {"avx2": "AVX2", "avx512": "AVX512_CORE"}


def operations(a):
    """Returns the pairs (operation, number of images) to measure."""
    return [("train", a.batch), ("distill", a.batch), ("sample", 1), ("sample", 64)]


class TorchMode:
    """A process that runs the network in one mode; `name` is the mode."""

    def __init__(self, name, a, environment):
        self.name = name
        say(f"starting PyTorch, {name}")
        command = [sys.executable, PEER, "serve", "--shape", a.shape, "--mode", name, "--threads", str(a.threads),
                   "--device", a.device, "--batch", str(a.batch)]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)  # fmt: skip
        ready = self.answer()
        self.torch, self.memory = ready["torch"], [ready["memory_mib"]]
        for operation in operations(a):  # warms up and compiles
            self.measure_one(*operation, 0)

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"PyTorch in mode {self.name} ended with code {self.process.wait()}")
        return json.loads(line)

    def measure_one(self, operation, batch, runs):
        request = json.dumps(dict(operation=operation, batch=batch, runs=runs))
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        return self.answer()

    def measure(self, wanted):
        return {key: statistics.median(self.measure_one(*key, RUNS)) for key in wanted}


class Halfstep:
    """The program in one precision; `name` is final after the first round."""

    def __init__(self, a, environment, model, precision, graphs=True):
        self.name, self.suffix = f"halfstep {precision}", "" if graphs else " without graphs"
        self.memory, self.reports = [], []
        self.environment = environment if graphs else dict(environment, HALFSTEP_GRAPHS="0")
        self.report = model.with_name("bench.json")
        self.command = [
            a.halfstep, "bench", "--model", model, "--batch", str(a.batch), "--runs", str(RUNS),
            "--threads", str(a.threads), "--device", a.device, "--precision", precision,
            "--only", "train,distill,sample", "--json", self.report]  # fmt: skip

    def measure(self, wanted):
        run(self.command, self.environment)
        report = json.loads(self.report.read_text())
        self.name = "halfstep " + report["precision"] + self.suffix
        self.reports.append(report)
        self.memory.append(report["memory_mib"])
        times = {(r["operation"], r["batch"]): r["median_ms"] for r in report["results"] if r["steps"] in (None, STEPS)}
        return {key: times[key] for key in wanted}


def say(what):
    print(what, file=sys.stderr, flush=True)


def run(command, environment):
    """Runs a command; raises RuntimeError with its error output if it fails."""
    done = subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} failed: {done.stderr.strip()}")


def check_same_output(a, environment, folder):
    """Checks that both sample the same images, to one level, and that the images would show a difference."""
    run([sys.executable, PEER, "write", "--shape", a.shape, folder], environment)

    def drawn(precision):
        npz = folder / "images.npz"
        run([a.halfstep, "sample", "--model", folder, "--noise", folder / "noise.npy", "--seeds", "0-7",
             "--precision", precision, "--threads", str(a.threads), "--device", a.device, "--npz", npz],
            dict(environment, NVIDIA_TF32_OVERRIDE="0"))  # fmt: skip
        return numpy.load(npz)["arr_0"].astype(int)

    reference = numpy.load(folder / "images.npy").astype(int)
    ours = drawn("fp32")
    report = dict(
        largest_difference=int(abs(ours - reference).max()),
        pixels_that_differ=float((ours != reference).mean()),
        pixels_at_an_end=float(numpy.isin(reference, (0, 255)).mean()),
        standard_deviation=float(reference.std()),
        twice_the_same=bool((drawn("fp32") == ours).all()),
        # For information: the distance of bf16 from fp32 in both.
        bf16_largest_difference=int(abs(drawn("bf16") - reference).max()),
        bf16_largest_difference_torch=int(
            abs(numpy.load(folder / "images_bf16.npy").astype(int) - reference).max()))  # fmt: skip
    say(f"same output: {json.dumps(report)}")
    if report["pixels_at_an_end"] > 0.5 or report["standard_deviation"] < 8:
        raise RuntimeError("the images of the check have too little contrast to compare networks")
    # Sums in another order round one pixel in some thousands differently; another network changes many more.
    same = report["largest_difference"] <= 1 and report["pixels_that_differ"] < 0.002
    # On a GPU, cuDNN may choose another algorithm in each process.
    repeats = report["twice_the_same"] or a.device != "cpu"
    if not same or not repeats:
        raise RuntimeError("halfstep and PyTorch do not sample the same images, so their speed cannot be compared")
    return report


def measure(parties, a):
    """Returns party -> operation -> list of the median milliseconds of each round."""
    wanted = operations(a)
    times = {party: {key: [] for key in wanted} for party in parties}
    for r in range(a.rounds):
        first = r % len(parties)  # rotates, so that no party always runs after the same other
        for party in parties[first:] + parties[:first]:
            say(f"round {r + 1}/{a.rounds}: {party.name}")
            for key, ms in party.measure(wanted).items():
                times[party][key].append(ms)
    return times


def added_memory(party):
    """Returns the memory that an update adds in MiB, or None if the system does not report it."""
    known = [memory["update_adds"] for memory in party.memory if memory]
    return statistics.median(known) if known else None


def summary(times):
    """Returns everything that is printed, as JSON."""
    halfstep = [party for party in times if isinstance(party, Halfstep)]
    torch = [party for party in times if isinstance(party, TorchMode)]
    reports = halfstep[0].reports
    peak = max(report["convolution_peak_gflops"] for report in reports)
    forward = reports[0]["forward_gflop"]
    result = dict(
        torch=torch[0].torch, convolution_peak_gflops=peak, peak_precision=reports[0]["precision"], rows={}, ratios={})
    calls = dict(train=3, distill=5, sample=STEPS)  # work in forward calls
    for party, by_operation in times.items():
        row = result["rows"][party.name] = dict(update_adds_mib=added_memory(party))
        for (operation, batch), ms in by_operation.items():
            median = statistics.median(ms)
            row[f"{operation} {batch}"] = dict(
                median_ms=median, min_ms=min(ms), max_ms=max(ms), rounds_ms=ms,
                share_of_peak=calls[operation] * batch * forward / median * 1e3 / peak)  # fmt: skip
    rows = result["rows"]
    for party in halfstep:
        ours = rows[party.name]
        ratios = result["ratios"][party.name] = {}
        for name, cell in ours.items():
            value = (lambda c: c) if name == "update_adds_mib" else (lambda c: c["median_ms"])
            theirs = {other.name: value(rows[other.name][name]) for other in torch}
            if cell is None or None in theirs.values():
                continue
            best = min(theirs, key=theirs.get)
            ratios[name] = dict(best=best, against_best=theirs[best] / value(cell))
            if "eager" in theirs:
                ratios[name]["against_eager"] = theirs["eager"] / value(cell)
    return result


def print_table(result, a):
    columns = [f"{operation} {batch}" for operation, batch in operations(a)]
    print(f"{a.shape}, {a.device}, {a.threads} threads, PyTorch {result['torch']}, {a.rounds} rounds of {RUNS} runs"
          + (f", {a.instruction_set} only" if a.instruction_set else ""))  # fmt: skip
    print("milliseconds: median (min - max) of the rounds; memory that an update adds, MiB\n")

    def line(name, cells):
        print(f"{name:32}" + "".join(f"{cell:>26}" for cell in cells))

    line("", [*columns, "update adds"])
    for name, row in result["rows"].items():
        cells = ["{median_ms:.1f} ({min_ms:.1f} - {max_ms:.1f})".format(**row[column]) for column in columns]
        added = row["update_adds_mib"]
        line(name, [*cells, "-" if added is None else f"{added:.0f}"])
    print(f"\nshare of the {result['peak_precision']} convolution peak, {result['convolution_peak_gflops']:.0f} GFLOP/s")
    for name, row in result["rows"].items():
        line(name, [f"{100 * row[column]['share_of_peak']:.0f}%" for column in columns])
    print("\nPyTorch's time and memory divided by halfstep's")
    for name, ratios in result["ratios"].items():
        cells = [ratios.get(column, {}) for column in [*columns, "update_adds_mib"]]
        if "eager" in result["rows"]:
            line(name + " against eager", [f"{c['against_eager']:.2f}" if c else "-" for c in cells])
        line(name + " against the best", [f"{c['against_best']:.2f} ({c['best']})" if c else "-" for c in cells])


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--halfstep", default="build/release/bin/halfstep", help="path of the program")
    parser.add_argument("--shape", choices=SHAPES, default="cifar64", help="network and batch")
    parser.add_argument("--modes", help="PyTorch modes, separated by commas (default: all for the device)")
    parser.add_argument("--batch", type=int, help="images per update (default: that of the shape)")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:K")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--fp32", action="store_true", help="also measure halfstep in fp32")
    parser.add_argument("--instruction-set", choices=INSTRUCTION_SETS,
                        help="largest instruction set that both may use; measures only fp32")  # fmt: skip
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    a = parser.parse_args()
    a.batch = a.batch or SHAPES[a.shape]["batch"]
    modes = MODES if a.device == "cpu" else GPU_MODES
    a.modes = a.modes.split(",") if a.modes else list(modes)
    for mode in a.modes:
        if mode not in {*MODES, *GPU_MODES}:
            parser.error(f"--modes: expected some of {','.join(dict.fromkeys(MODES + GPU_MODES))}, received {mode}")
    if a.instruction_set:  # bf16 is too slow without its instructions
        a.modes = [mode for mode in a.modes if "bf16" not in mode]
    if not a.modes or a.rounds < 1:
        parser.error("expected at least one mode and one round")
    return a


def main():
    a = arguments()
    environment = dict(os.environ)
    if a.instruction_set:
        environment["ATEN_CPU_CAPABILITY"] = a.instruction_set
        environment["ONEDNN_MAX_CPU_ISA"] = INSTRUCTION_SETS[a.instruction_set]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        same_output = check_same_output(a, environment, folder)
        parties, failed = [], []
        for mode in a.modes:  # not every machine can compile
            try:
                parties.append(TorchMode(mode, a, environment))
            except RuntimeError as error:
                say(f"left out: {error}")
                failed.append(mode)
        if not parties:
            raise RuntimeError("no PyTorch mode works on this machine")
        for precision in ["fp32"] if a.instruction_set else ["auto", "fp32"] if a.fp32 else ["auto"]:
            parties.append(Halfstep(a, environment, folder / "model.safetensors", precision))
        if a.device != "cpu":
            parties.append(Halfstep(a, environment, folder / "model.safetensors", "auto", graphs=False))
        result = summary(measure(parties, a))
    options = {key: str(value) for key, value in vars(a).items()}
    result.update(same_output=same_output, failed_modes=failed, options=options)
    print_table(result, a)
    if a.json:
        a.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(f"compare.py: {error}")
