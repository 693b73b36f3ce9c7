// A feature network's file, taken apart to be written again with something changed.
#ifndef HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_
#define HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_

#include <filesystem>
#include <map>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::test {

inline const std::filesystem::path kResNet20Cifar10 =
    std::filesystem::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-cifar10.safetensors";

struct FeatureFile {
  FeatureFile() = default;
  explicit FeatureFile(const std::filesystem::path& path) {
    const io::SafetensorsFile file(path);
    metadata = file.metadata();
    for (const auto& [name, view] : file.tensors()) tensors.emplace(name, to_tensor(view));
  }

  void write(const std::filesystem::path& path) const {
    std::map<std::string, io::Array> arrays;
    for (const auto& [name, tensor] : tensors) arrays.emplace(name, to_array(tensor));
    std::map<std::string, io::ArrayView> views;
    for (const auto& [name, array] : arrays) views.emplace(name, array.view());
    io::write_safetensors(path, views, metadata);
  }

  std::map<std::string, Tensor> tensors;
  std::map<std::string, std::string> metadata;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_
