#!/usr/bin/env python3
"""Samples this folder with its pipeline.py: `halfstep sample` for a machine that has diffusers."""

import argparse
import json
import sys
from pathlib import Path

import numpy
import torch
from diffusers import DDIMScheduler, UNet2DModel
from PIL import Image

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))
from pipeline import HalfstepPipeline  # noqa: E402


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, help="sampling steps (default: those the model was distilled for)")
    parser.add_argument("--class", dest="label", help="name or number of a class, or none (default: from each seed)")
    parser.add_argument("--guidance", type=float,
                        help="weight of classifier-free guidance (default: 1, off, or that of the model's distillation)")
    parser.add_argument("--num", type=int, default=16, help="number of images (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first image; the others follow (default: 0)")
    parser.add_argument("--noise", help="start from this .npy, float32 [N, C, H, W], instead of the seeds' noise")
    parser.add_argument("--no-clip", dest="clip", action="store_false", help="do not clip predictions of x")
    parser.add_argument("--out", default="samples.png",
                        help=".png: all images in a row; .npz: arr_0, uint8 [N, H, W, C], or float32 [N, C, H, W]")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    latents = torch.from_numpy(numpy.load(arguments.noise)) if arguments.noise else None
    count = arguments.num if latents is None else len(latents)
    pipeline = HalfstepPipeline(UNet2DModel.from_pretrained(FOLDER, subfolder="unet"),
                                DDIMScheduler.from_pretrained(FOLDER, subfolder="scheduler"),
                                json.loads((FOLDER / "model_index.json").read_text())["halfstep"])
    samples = pipeline(class_labels=arguments.label, num_inference_steps=arguments.steps,
                       guidance_scale=arguments.guidance, clip=arguments.clip,
                       seeds=range(arguments.seed, arguments.seed + count), latents=latents).images
    samples = samples.cpu().numpy() if torch.is_tensor(samples) else numpy.stack(
        [numpy.asarray(image).reshape(image.height, image.width, -1) for image in samples])
    if arguments.out.endswith(".npz"):
        numpy.savez(arguments.out, arr_0=samples)
    elif samples.dtype == numpy.uint8:
        Image.fromarray(numpy.concatenate(list(samples), axis=1).squeeze()).save(arguments.out)
    else:
        sys.exit("sample.py: [--out] expected a name that ends in .npz, because the samples are not images")


try:
    main()
except (ValueError, OSError) as error:
    sys.exit(f"sample.py: {error}")
