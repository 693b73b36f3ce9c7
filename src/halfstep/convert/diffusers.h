// Models of Hugging Face's diffusers: the folder of a DDPMPipeline or DDIMPipeline,
//
//   model_index.json  unet/config.json  unet/diffusion_pytorch_model.safetensors
//   scheduler/scheduler_config.json     (older pipelines: all in one folder)
//
// See docs/convert.md.
#ifndef HALFSTEP_CONVERT_DIFFUSERS_H_
#define HALFSTEP_CONVERT_DIFFUSERS_H_

#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/model/model.h"

namespace halfstep {

// Returns whether the folder, or the folder of this file, is one of diffusers: a pipeline, or a
// network alone, which import_diffusers refuses with advice.
bool is_diffusers_folder(const std::filesystem::path& path);

// Reads a pipeline as a model with a network of UNet2dOptions, on the CPU and in fp32. `notes`
// receives one sentence for each thing that halfstep's samplers do differently. Throws IoError if
// a file is missing, FormatError that names what is damaged or what halfstep cannot express.
Model import_diffusers(const std::filesystem::path& path,
                       std::vector<std::string>* notes = nullptr);

// Writes a pipeline, pipeline.py, that samples as halfstep does, and README.md, the model card. The
// official U-Net becomes a UNet2DModel. Throws ConfigError if the folder holds anything but an
// older export, or for a model that diffusers cannot express: TorchScript; the output x_and_eps; a
// sampler other than DDIM; a number of steps that does not divide the number of timesteps (1000 for
// the official U-Net); a network that takes the guidance weight (fold_guidance.h makes it one that
// does not).
void export_diffusers(const Model& model, const std::filesystem::path& folder);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_DIFFUSERS_H_
