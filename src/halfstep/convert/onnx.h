// Models as ONNX files, which ONNX Runtime and others run without LibTorch. See docs/onnx.md.
#ifndef HALFSTEP_CONVERT_ONNX_H_
#define HALFSTEP_CONVERT_ONNX_H_

#include <cstdint>
#include <filesystem>
#include <optional>

#include "halfstep/model/model.h"

namespace halfstep {

// A larger number of steps makes a graph that runtimes take minutes to load.
inline constexpr int64_t kMostOnnxSteps = 128;

struct OnnxOptions {
  // Write one call of the network instead of a sampler.
  bool network = false;
  // Sampling steps, 1 to kMostOnnxSteps. None: the N that the model was distilled for; a teacher
  // has none, and needs a number. Must be none for a network.
  std::optional<int64_t> num_steps = std::nullopt;
  // The guidance weight w, which becomes part of the file. None: an input of the file if the
  // network takes w; otherwise that of generate().
  std::optional<double> guidance = std::nullopt;
};

// Writes a model as an ONNX file, atomically: opset 17, IR version 8, float32, any batch size B.
//
// A sampler maps noise to images as generate() does, with the model's own sampler and clipping. All
// steps are written out; they share the weights.
//   noise       float32 [B, C, H, W]         N(0, 1)
//   class       int64 [B]                    if the model has classes; negative: no class
//   guidance    float32 [B]                  if the network takes the weight
//   step_noise  float32 [N - 1, B, C, H, W]  N(0, 1), if the sampler is ancestral and N > 1: the
//                                            noise of each step but the last, in their order
//   -> images   float32 [B, C, H, W]         x, in [-1, 1] for images
//
// A network maps z to its raw output, which is what spec.output says
// (diffusion/parameterization.h).
//   z           float32 [B, C, H, W]
//   logsnr      float32 [B]                  -2 log(tan(phi))
//   class, guidance                          as above
//   -> raw      float32 [B, C or 2 C, H, W]
//
// Throws ConfigError for a TorchScript network, for a sampler other than ddim and ancestral, for
// options that do not suit the model (generate.h), and if the file would have 2 GiB or more;
// IoError if it cannot be written.
void save_onnx(const Model& model, const OnnxOptions& options, const std::filesystem::path& path);

// What halfstep recorded in an ONNX file.
struct OnnxDescription {
  ModelSpec spec;
  bool network = false;
  int64_t num_steps = 0;           // of a sampler
  std::optional<double> guidance;  // the weight in the file; none: an input
};

// Reads the metadata of a file that save_onnx wrote, and not its graph. Throws IoError if the file
// cannot be read, FormatError if it is damaged or has no such metadata.
OnnxDescription describe_onnx(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_ONNX_H_
