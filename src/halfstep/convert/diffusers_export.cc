#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_config.h"
#include "halfstep/convert/diffusers_weights.h"
#include "halfstep/convert/official_as_unet2d.h"
#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kSampleScript = R"py(#!/usr/bin/env python3
"""Samples this folder with diffusers as halfstep does: x clipped to [-1, 1] at every step, labels where there are classes.

    python sample.py [--steps N] [--class K] [--num 16] [--seed 0] [--out samples.png]
"""

import argparse
import json
from pathlib import Path

import numpy
import torch
from diffusers import DDIMScheduler, UNet2DModel
from PIL import Image

FOLDER = Path(__file__).resolve().parent
EXTRA = json.loads((FOLDER / "halfstep.json").read_text())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    made_for = EXTRA["num_steps"] or None
    parser.add_argument("--steps", type=int, default=made_for, required=not made_for, help="a divisor of the timesteps")
    parser.add_argument("--class", dest="label", help="a number, or none; default: one after the other")
    parser.add_argument("--num", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--noise", help="start from this .npy [num, C, H, W] instead")
    parser.add_argument("--no-clip", dest="clip", action="store_false")
    parser.add_argument("--out", default="samples.png", help=".png: a picture of all; .npz: arr_0 [num, H, W, C]")
    return parser.parse_args()


def labels_of(unet, label, num):
    rows = unet.config.num_class_embeds
    if rows is None:
        return None
    classes = rows - 1 if EXTRA["has_null_class"] else rows
    if label == "none":
        return torch.full((num,), classes)
    return torch.arange(num) % classes if label is None else torch.full((num,), int(label))


@torch.no_grad()
def main():
    arguments = parse_arguments()
    unet = UNet2DModel.from_pretrained(FOLDER, subfolder="unet").eval()
    scheduler = DDIMScheduler.from_pretrained(FOLDER, subfolder="scheduler", clip_sample=arguments.clip)
    scheduler.set_timesteps(arguments.steps)
    size = unet.config.sample_size
    if arguments.noise:
        z = torch.from_numpy(numpy.load(arguments.noise))
    else:
        z = torch.randn(arguments.num, unet.config.in_channels, size, size,
                        generator=torch.Generator().manual_seed(arguments.seed))
    labels = labels_of(unet, arguments.label, len(z))
    for t in scheduler.timesteps:
        raw = unet(z, t, class_labels=labels).sample
        z = scheduler.step(raw, t, z, use_clipped_model_output=arguments.clip).prev_sample
    images = (z * 127.5 + 128).floor().clip(0, 255).byte().permute(0, 2, 3, 1).numpy()
    if arguments.out.endswith(".npz"):
        numpy.savez(arguments.out, arr_0=images)
    else:
        Image.fromarray(numpy.concatenate(list(images), axis=1).squeeze()).save(arguments.out)


main()
)py";

void require_expressible(const ModelSpec& spec, int64_t timesteps) {
  if (is_torchscript(spec.network)) {
    throw ConfigError("diffusers",
                      "network: expected one that halfstep makes, received TorchScript, whose "
                      "code no other format can hold");
  }
  if (spec.output == Output::x_and_eps)
    throw ConfigError("diffusers", "output: expected x, eps or v, received x_and_eps");
  if (spec.sampling.sampler != Sampler::ddim) {
    throw ConfigError("diffusers",
                      "sampler: expected a model made for ddim, the scheduler that is written, "
                      "received one for " +
                          std::string(name_of(spec.sampling.sampler)));
  }
  if (spec.sampling.is_distilled() && timesteps % spec.sampling.num_steps != 0) {
    throw ConfigError("diffusers",
                      "num_steps: expected a divisor of " + std::to_string(timesteps) +
                          " timesteps, which DDIMScheduler steps over evenly, received " +
                          std::to_string(spec.sampling.num_steps));
  }
}

void write_weights(const fs::path& path, std::map<std::string, Tensor> tensors) {
  std::map<std::string, io::Array> arrays;
  for (const auto& [name, tensor] : tensors) arrays.emplace(name, to_array(tensor));
  std::map<std::string, io::ArrayView> views;
  for (const auto& [name, array] : arrays) views.emplace(name, array.view());
  io::write_safetensors(path, views, {{"format", "pt"}});
}

// Writes model_index.json last: without it, the folder is not taken for a pipeline.
void write_folder(const Model& model, const UNet2dOptions& network, const fs::path& folder) {
  const ModelSpec& spec = model.spec();
  fs::create_directories(folder / "unet");
  fs::create_directories(folder / "scheduler");

  std::map<std::string, Tensor> tensors = to_diffusers(
      model.network().parameters(), static_cast<int64_t>(network.block_out_channels.size()));
  UNet2dOptions options = network;
  if (spec.has_null_class) {
    Tensor& rows = tensors.at("class_embedding.weight");
    rows = at::constant_pad_nd(rows, {0, 0, 0, 1});
    ++options.num_classes;
  }
  write_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", std::move(tensors));
  io::write_json(folder / "unet" / "config.json", unet_config_of(options));
  io::write_json(folder / "scheduler" / "scheduler_config.json",
                 scheduler_config_of(spec.schedule, spec.output, network.num_train_timesteps));

  json extra = io::fields_to_json(DiffusersExtra{.sampling = spec.sampling,
                                                 .has_null_class = spec.has_null_class,
                                                 .class_names = spec.class_names});
  leave_out_default_sampling(extra);
  extra["origin"] = io::fields_to_json(spec.origin);
  io::write_json(folder / "halfstep.json", extra);
  io::write_file(folder / "sample.py", kSampleScript);
  io::write_json(folder / "model_index.json", {{"_class_name", "DDIMPipeline"},
                                               {"_diffusers_version", kDiffusersVersion},
                                               {"scheduler", {"diffusers", "DDIMScheduler"}},
                                               {"unet", {"diffusers", "UNet2DModel"}}});
}

}  // namespace

void export_diffusers(const Model& model, const fs::path& folder) {
  const auto* network = std::get_if<UNet2dOptions>(&model.spec().network);
  require_expressible(model.spec(),
                      network ? network->num_train_timesteps : UNet2dOptions{}.num_train_timesteps);
  if (network) return write_folder(model, *network, folder);
  const Model converted = official_as_unet2d(model);
  write_folder(converted, std::get<UNet2dOptions>(converted.spec().network), folder);
}

}  // namespace halfstep
