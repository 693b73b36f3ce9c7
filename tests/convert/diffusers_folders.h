// The diffusers pipelines of the golden vectors.
#ifndef HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_
#define HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_

#include <filesystem>
#include <map>
#include <string>

#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"
#include "tests/support/golden.h"

namespace halfstep::test {

inline std::filesystem::path folder_of(const std::string& name) {
  return golden_folder() / "diffusers" / name;
}

inline std::filesystem::path weights_of(const std::filesystem::path& folder) {
  return folder / "unet" / "diffusion_pytorch_model.safetensors";
}

inline std::map<std::string, Tensor> tensors_of(const std::filesystem::path& file) {
  const io::SafetensorsFile contents(file);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, array] : contents.tensors()) tensors.emplace(name, to_tensor(array));
  return tensors;
}

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_
