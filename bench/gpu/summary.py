"""Collects the results of bench/gpu/run.sh into gpu.json and gpu.txt."""

import argparse
import json
from pathlib import Path

import torch


def distillation(runs):
    """Returns the speed and the last loss of each stage of the only run."""
    lines = [json.loads(line) for line in next(runs.glob("*/stats.jsonl")).read_text().splitlines()]
    stages = {}
    for line in lines:
        stages[line["num_steps"]] = dict(images_per_second=line["images_per_second"], loss=line["loss"])
    return stages


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outdir", type=Path, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--tests", required=True)
    parser.add_argument("--build-seconds", type=int, required=True)
    parser.add_argument("--seconds", type=int, required=True)
    a = parser.parse_args()
    on_gpu = torch.device(a.device).type == "cuda"
    result = dict(
        device=torch.cuda.get_device_name(a.device) if on_gpu else a.device,
        torch=torch.__version__,
        cuda=torch.version.cuda,
        tests=a.tests,
        build_seconds=a.build_seconds,
        seconds=a.seconds,
        distillation=distillation(a.outdir / "runs"),
        compare=json.loads((a.outdir / "compare.json").read_text()),
    )
    (a.outdir / "gpu.json").write_text(json.dumps(result, indent=2) + "\n")
    text = f"{result['device']}, PyTorch {result['torch']}, CUDA {result['cuda']}\n"
    text += f"tests {a.tests}; build {a.build_seconds} s, all {a.seconds} s\n\ndistillation of models/fashion-teacher\n"
    for steps, stage in result["distillation"].items():
        text += f"  to {steps} steps: {stage['images_per_second']:.0f} images/s, loss {stage['loss']:.4g}\n"
    text += "\n" + (a.outdir / "compare.txt").read_text()
    (a.outdir / "gpu.txt").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
