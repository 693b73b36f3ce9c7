// A safetensors file as tensors, for tests that modify files.
#ifndef HALFSTEP_TESTS_SUPPORT_TENSOR_FILE_H_
#define HALFSTEP_TESTS_SUPPORT_TENSOR_FILE_H_

#include <filesystem>
#include <map>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::test {

struct TensorFile {
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

#endif  // HALFSTEP_TESTS_SUPPORT_TENSOR_FILE_H_
