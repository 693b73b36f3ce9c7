// The diffusers pipelines of the golden vectors, and a copy of one for tests to change.
#ifndef HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_
#define HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"
#include "tests/io/temporary_folder.h"
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

// A valid pipeline, for tests to change.
class CopiedPipeline : public ::testing::Test {
 protected:
  CopiedPipeline() {
    std::filesystem::copy(folder_of("classes"), path, std::filesystem::copy_options::recursive);
  }

  void set(const char* file, const char* key, const nlohmann::json& value) const {
    nlohmann::json contents = io::read_json(path / file);
    contents[key] = value;
    io::write_json(path / file, contents);
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "model";
};

inline constexpr const char* kUnetConfig = "unet/config.json";
inline constexpr const char* kSchedulerConfig = "scheduler/scheduler_config.json";

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_CONVERT_DIFFUSERS_FOLDERS_H_
