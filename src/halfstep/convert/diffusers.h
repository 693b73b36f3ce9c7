// Models of diffusers: the folder of a DDPMPipeline or DDIMPipeline,
//
//   model_index.json  unet/config.json  unet/diffusion_pytorch_model.safetensors
//   scheduler/scheduler_config.json     (of old: all in one folder)
//
// See docs/convert.md.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_H_
#define HALFSTEP_CONVERT_DIFFUSERS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/model/model.h"

namespace halfstep {

// Whether the folder says that it is a pipeline of diffusers.
bool is_diffusers_folder(const std::filesystem::path& folder);

struct DiffusersImport {
  Model model;                     // with a network of UNet2dOptions
  std::vector<std::string> notes;  // what halfstep's samplers do otherwise, a sentence each
};

// Throws IoError where a file is missing, FormatError that names what is broken or what halfstep
// cannot express.
DiffusersImport import_diffusers(const std::filesystem::path& folder);

// Writes a DDIMPipeline that samples as halfstep does without clipping, and sample.py, which clips
// and takes labels too. The official U-Net becomes a UNet2DModel (official_as_unet2d). Throws
// ConfigError that names what of the model diffusers cannot express: TorchScript; output x_and_eps;
// N that does not divide the number of timesteps, 1000 for the official U-Net.
void export_diffusers(const Model& model, const std::filesystem::path& folder);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_H_
