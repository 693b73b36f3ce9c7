// Reads the file of a feature network, for tests that change it and write it again.
#ifndef HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_
#define HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_

#include <filesystem>

#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"
#include "tests/support/tensor_file.h"

namespace halfstep::test {

inline const std::filesystem::path kResNet20Cifar10 =
    std::filesystem::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-cifar10.safetensors";

struct FeatureFile : TensorFile {
  FeatureFile() = default;
  explicit FeatureFile(const std::filesystem::path& path) {
    const io::SafetensorsFile file(path);
    metadata = file.metadata();
    for (const auto& [name, view] : file.tensors()) tensors.emplace(name, to_tensor(view));
  }
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_METRICS_FEATURE_FILE_H_
