// Reading and writing models in other formats. See docs/convert.md.
#ifndef HALFSTEP_CONVERT_CONVERT_H_
#define HALFSTEP_CONVERT_CONVERT_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/model/model.h"

namespace halfstep {

enum class ModelFormat {
  halfstep,   // model.safetensors, model.pt, or a folder with one of them
  diffusers,  // the folder of a pipeline with a UNet2DModel
  official    // a checkpoint of the official JAX code
};

template <>
struct EnumNames<ModelFormat> {
  static constexpr auto kNames = std::to_array<std::pair<ModelFormat, std::string_view>>(
      {{ModelFormat::halfstep, "halfstep"},
       {ModelFormat::diffusers, "diffusers"},
       {ModelFormat::official, "official"}});
};

// Detects the format of the model at `path` from its first bytes or file names. Returns halfstep if
// it is none of the others; loading it then reports what is wrong.
ModelFormat format_of_model(const std::filesystem::path& path);

// The type in which a file stores weights. Networks compute with them in float32 or bf16, whatever
// the file has.
enum class WeightType { float32, float16, bfloat16 };

template <>
struct EnumNames<WeightType> {
  static constexpr auto kNames =
      std::to_array<std::pair<WeightType, std::string_view>>({{WeightType::float32, "float32"},
                                                              {WeightType::float16, "float16"},
                                                              {WeightType::bfloat16, "bfloat16"}});
};

struct ConvertOptions {
  // The network, output and schedule of an official checkpoint, which does not state them. Must be
  // given for a checkpoint, and for nothing else.
  std::optional<ModelSpec> config = std::nullopt;
  // float16 and bfloat16 halve the file, and round weights to 11 and 8 significant bits; to
  // .safetensors only.
  WeightType dtype = WeightType::float32;
  // The weight of a model that takes it as an input: the result is an ordinary model, which is
  // guided with it. Such a model needs it to become a diffusers folder. An ONNX file may have the
  // weight of any model with a null class; otherwise no other model may have it.
  std::optional<double> guidance = std::nullopt;
  // Of ONNX files only: sampling steps, and writing the network alone (OnnxOptions, onnx.h).
  std::optional<int64_t> num_steps = std::nullopt;
  bool network = false;
};

struct ImportedModel {
  Model model;                     // on the CPU, in fp32
  std::vector<std::string> notes;  // differences to how diffusers samples, one sentence each
};

// Reads a model of any format. Throws IoError or FormatError if it cannot be read, ConfigError if
// options.config is missing or superfluous.
ImportedModel import_model(const std::filesystem::path& from, const ConvertOptions& options = {});

struct Conversion {
  std::vector<std::string> notes;  // of the import
  std::string python;              // lines of Python that sample a diffusers folder; or empty
};

// Reads the model `from` and writes it to `to`: a halfstep model if that ends in .safetensors, an
// ONNX file if it ends in .onnx, a diffusers folder otherwise. Throws as import_model and
// save_onnx, IoError if the result cannot be written, and ConfigError if `to` is empty, ends like
// another kind of file or is a folder with other files, if weights lie outside float16's range, and
// for a model that the other format cannot express: any TorchScript network, and for diffusers the
// output x_and_eps, a sampler other than DDIM, a number of steps that does not divide the number of
// timesteps, and the guidance weight as an input without options.guidance.
Conversion convert_model(const std::filesystem::path& from, const std::filesystem::path& to,
                         const ConvertOptions& options = {});

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_CONVERT_H_
