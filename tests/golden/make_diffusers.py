#!/usr/bin/env python3
"""Writes tests/golden/diffusers/: small pipelines of diffusers with random weights, and what diffusers makes of them.

    make_diffusers.py OUT_FOLDER        (diffusers 0.42.1, torch 2.13.0)
    make_diffusers.py GRID/diffusers --random 200

The second draws the options of so many networks and schedulers instead. The tests take those with
`HALFSTEP_GOLDEN=GRID halfstep_tests --gtest_filter='DiffusersPipelines.*'`.

Each folder is a pipeline as save_pretrained writes it and, in float32, expected.safetensors: the network's output `raw`
at `z`, timestep `t` and `label`, and `ddim`, DDIMScheduler's last sample after `ddim_steps` steps from `z` (no
clipping, trailing timesteps, the last step to x itself).
"""

import argparse
import json
import random
import shutil
from pathlib import Path

import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from safetensors.torch import load_file, save_file

SMALL = {"sample_size": 8, "in_channels": 3, "out_channels": 3, "block_out_channels": (4, 8), "norm_num_groups": 2,
         "layers_per_block": 1, "attention_head_dim": 4}

# name: (UNet2DModel, scheduler class, scheduler, steps). Together they have each option that halfstep reads.
PIPELINES = {
    # today's defaults
    "defaults": ({**SMALL, "down_block_types": ("DownBlock2D", "AttnDownBlock2D"),
                  "up_block_types": ("AttnUpBlock2D", "UpBlock2D")},
                 DDPMScheduler, {"clip_sample": False}, 10),
    # as the first public DDPM checkpoints; `old_layout` makes it their folder, too
    "first": ({**SMALL, "block_out_channels": (4, 8, 8), "layers_per_block": 2, "attention_head_dim": None,
               "downsample_padding": 0, "norm_eps": 1e-6, "flip_sin_to_cos": False, "freq_shift": 1,
               "down_block_types": ("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
               "up_block_types": ("UpBlock2D", "AttnUpBlock2D", "UpBlock2D")},
              DDPMScheduler, {"variance_type": "fixed_large"}, 4),
    # class-conditional, as those of guided diffusion
    "classes": ({**SMALL, "num_class_embeds": 3, "resnet_time_scale_shift": "scale_shift", "attn_norm_num_groups": 4,
                 "downsample_type": "resnet", "upsample_type": "resnet",
                 "down_block_types": ("ResnetDownsampleBlock2D", "AttnDownBlock2D"),
                 "up_block_types": ("AttnUpBlock2D", "ResnetUpsampleBlock2D")},
                DDIMScheduler, {"prediction_type": "v_prediction", "beta_schedule": "scaled_linear"}, 8),
    # attention that takes what there is, without a norm in the middle
    "bare_middle": ({**SMALL, "resnet_time_scale_shift": "scale_shift", "in_channels": 1, "out_channels": 1,
                     "down_block_types": ("AttnDownBlock2D", "DownBlock2D"),
                     "up_block_types": ("UpBlock2D", "UpBlock2D")},
                    DDIMScheduler, {"prediction_type": "sample", "beta_schedule": "squaredcos_cap_v2"}, 5),
    # no attention at all, and betas of one's own
    "no_attention": ({**SMALL, "add_attention": False, "time_embedding_dim": 24, "norm_eps": 1e-3,
                      "down_block_types": ("DownBlock2D", "ResnetDownsampleBlock2D"),
                      "up_block_types": ("ResnetUpsampleBlock2D", "UpBlock2D")},
                     DDPMScheduler, {"num_train_timesteps": 20, "prediction_type": "v_prediction",
                                     "trained_betas": [0.01 * (k + 1) for k in range(20)]}, 5),
    # channels that fill no vector, groups of three, resampling inside of blocks
    "odd": ({**SMALL, "block_out_channels": (6, 9), "norm_num_groups": 3, "attention_head_dim": 3, "dropout": 0.1,
             "downsample_type": "resnet", "upsample_type": "resnet", "freq_shift": 1,
             "down_block_types": ("AttnDownBlock2D", "AttnDownBlock2D"),
             "up_block_types": ("AttnUpBlock2D", "AttnUpBlock2D")},
            DDPMScheduler, {"num_train_timesteps": 100, "beta_start": 1e-3, "beta_end": 0.1}, 10),
    # noise to the end
    "zero_snr": ({**SMALL, "norm_num_groups": 1, "flip_sin_to_cos": False,
                  "down_block_types": ("DownBlock2D", "DownBlock2D"), "up_block_types": ("UpBlock2D", "UpBlock2D")},
                 DDIMScheduler, {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True,
                                 "timestep_spacing": "trailing", "set_alpha_to_one": False}, 4),
}

OLD_NAMES = {".to_q.": ".query.", ".to_k.": ".key.", ".to_v.": ".value.", ".to_out.0.": ".proj_attn."}


def random_network(options, seed):
    torch.manual_seed(seed)
    network = UNet2DModel(**options).eval()
    with torch.no_grad():
        for parameter in network.parameters():  # norms and biases too, so that nothing hides
            parameter += 0.1 * torch.randn_like(parameter)
    return network


@torch.no_grad()
def expected_of(network, scheduler, steps):
    size, channels = network.config.sample_size, network.config.in_channels
    generator = torch.Generator().manual_seed(1)
    timesteps = scheduler.config.num_train_timesteps
    z = torch.randn(4, channels, size, size, generator=generator)
    t = torch.tensor([0, timesteps // 3, timesteps // 2, timesteps - 1])
    classes = network.config.num_class_embeds
    label = torch.arange(4) % classes if classes else None
    tensors = {"z": z, "t": t, "raw": network(z, t, class_labels=label).sample}
    if classes:
        tensors["label"] = label
    ddim = DDIMScheduler.from_config(scheduler.config, clip_sample=False, timestep_spacing="trailing",
                                     set_alpha_to_one=True)
    ddim.set_timesteps(steps)
    for step in ddim.timesteps:
        z = ddim.step(network(z, step, class_labels=label).sample, step, z).prev_sample
    tensors = {**tensors, "ddim": z, "ddim_steps": torch.tensor([steps])}
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def old_layout(folder):
    """One folder, attention's old names, and of the scheduler what there was then."""
    weights = "diffusion_pytorch_model.safetensors"
    tensors = {}
    for name, tensor in load_file(folder / "unet" / weights).items():
        for now, then in OLD_NAMES.items():
            name = name.replace(now, then)
        tensors[name] = tensor
    save_file(tensors, folder / weights, {"format": "pt"})
    (folder / "unet/config.json").rename(folder / "config.json")
    scheduler = json.loads((folder / "scheduler/scheduler_config.json").read_text())
    then = ["_class_name", "_diffusers_version", "beta_start", "beta_end", "beta_schedule", "clip_sample",
            "num_train_timesteps", "trained_betas", "variance_type"]
    (folder / "scheduler_config.json").write_text(json.dumps({key: scheduler[key] for key in then}, indent=2))
    config = json.loads((folder / "config.json").read_text())
    later = ["add_attention", "attn_norm_num_groups", "class_embed_type", "downsample_type", "dropout", "mid_block_type",
             "num_class_embeds", "num_train_timesteps", "resnet_time_scale_shift", "time_embedding_dim", "upsample_type"]
    for key in later:
        config.pop(key, None)
    (folder / "config.json").write_text(json.dumps(config, indent=2))
    shutil.rmtree(folder / "unet")
    shutil.rmtree(folder / "scheduler")


def random_pipeline(draw):
    """Options drawn each by itself, of those that go together in diffusers."""
    levels = draw.randint(1, 3)
    groups = draw.choice([1, 2, 3])
    head_dim = draw.choice([None, 2, 4])
    unit = groups * (head_dim or 2)
    unit = unit if unit >= 4 else 4
    attention_groups = draw.choice([None, None, 1, 2])
    down = ["DownBlock2D", "AttnDownBlock2D", "ResnetDownsampleBlock2D"]
    up = ["UpBlock2D", "AttnUpBlock2D", "ResnetUpsampleBlock2D"]
    network = {
        "sample_size": 4 * 2 ** (levels - 1), "in_channels": (channels := draw.choice([1, 3])), "out_channels": channels,
        "block_out_channels": tuple(unit * draw.randint(1, 3) for _ in range(levels)), "norm_num_groups": groups,
        "down_block_types": tuple(draw.choice(down) for _ in range(levels)),
        "up_block_types": tuple(draw.choice(up) for _ in range(levels)),
        "layers_per_block": draw.randint(1, 2), "attention_head_dim": head_dim,
        "attn_norm_num_groups": attention_groups, "add_attention": draw.random() < 0.7,
        "resnet_time_scale_shift": draw.choice(["default", "scale_shift"]),
        "downsample_type": draw.choice(["conv", "resnet"]), "upsample_type": draw.choice(["conv", "resnet"]),
        "downsample_padding": draw.choice([0, 1]), "freq_shift": draw.choice([0, 1]),
        "flip_sin_to_cos": draw.choice([False, True]), "norm_eps": draw.choice([1e-6, 1e-5, 1e-3]),
        "time_embedding_dim": draw.choice([None, 24]), "num_class_embeds": draw.choice([None, None, 2, 5]),
        "dropout": draw.choice([0.0, 0.1])}
    timesteps = draw.choice([20, 100, 1000])
    scale = 1000 / timesteps  # so that the last z is near noise
    scheduler = {
        "num_train_timesteps": timesteps, "beta_start": 1e-4 * scale, "beta_end": 0.02 * scale,
        "beta_schedule": draw.choice(["linear", "scaled_linear", "squaredcos_cap_v2"]),
        "prediction_type": draw.choice(["epsilon", "sample", "v_prediction"])}
    if timesteps == 20 and scheduler["beta_schedule"] != "squaredcos_cap_v2":
        scheduler["beta_end"] = 0.7
    return network, draw.choice([DDPMScheduler, DDIMScheduler]), scheduler, draw.choice([4, 5, 10])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--random", type=int, metavar="N", help="draw the options of N pipelines")
    arguments = parser.parse_args()
    pipelines = PIPELINES
    if arguments.random:
        draw = random.Random(0)
        pipelines = {f"{k:04}": random_pipeline(draw) for k in range(arguments.random)}
    out = arguments.out
    for seed, (name, (network_options, scheduler_class, scheduler_options, steps)) in enumerate(pipelines.items()):
        network = random_network(network_options, seed)
        scheduler = scheduler_class(**scheduler_options)
        pipeline = DDPMPipeline if scheduler_class is DDPMScheduler else DDIMPipeline
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        pipeline(network, scheduler).save_pretrained(folder)
        save_file(expected_of(network, scheduler, steps), folder / "expected.safetensors")
        if name == "first":
            old_layout(folder)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
        print(f"{name}: {network.num_parameters()} parameters, {size / 1024:.0f} KiB")


main()
