#include "halfstep/data/npy_dataset.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/memory_dataset.h"
#include "halfstep/io/npy.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& expected, const io::Array& array) {
  throw FormatError("npy", path.string() + ": expected " + expected + ", received " +
                               std::string(io::name_of(array.dtype)) + " " +
                               io::to_string(array.shape));
}

std::vector<int64_t> integers_of(const io::Array& array, const fs::path& path) {
  const auto widen = [](const auto values) {
    return std::vector<int64_t>(values.begin(), values.end());
  };
  switch (array.dtype) {
    case io::DType::i64:
      return widen(array.as<int64_t>());
    case io::DType::i32:
      return widen(array.as<int32_t>());
    case io::DType::i16:
      return widen(array.as<int16_t>());
    case io::DType::i8:
      return widen(array.as<int8_t>());
    case io::DType::u8:
      return widen(array.as<uint8_t>());
    default:
      fail(path, "integers", array);
  }
}

std::vector<int32_t> read_labels(const fs::path& path, int64_t size) {
  constexpr int64_t kMaxLabel = 1'000'000;
  const io::Array array = io::read_npy(path);
  if (array.shape.size() != 1 || array.shape[0] != size) {
    fail(path, "labels [" + std::to_string(size) + "]", array);
  }
  std::vector<int32_t> labels;
  for (const int64_t label : integers_of(array, path)) {
    if (label < 0 || label > kMaxLabel) {
      throw FormatError("npy", path.string() + ": expected labels from 0 to " +
                                   std::to_string(kMaxLabel) + ", received " +
                                   std::to_string(label));
    }
    labels.push_back(static_cast<int32_t>(label));
  }
  return labels;
}

}  // namespace

bool is_npy(const fs::path& path) { return path.extension() == ".npy" && !fs::is_directory(path); }

std::unique_ptr<Dataset> open_npy(const fs::path& path, const DatasetOptions& options) {
  if (options.split == DatasetOptions::Split::test) {
    throw ConfigError("npy", path.string() +
                                 ": expected a data set with a test split, received one file; give "
                                 "the file of the test images without asking for a split");
  }
  const io::Array images = io::read_npy(path);
  const std::vector<int64_t>& shape = images.shape;
  if (images.dtype != io::DType::u8 || shape.size() != 4 || (shape[3] != 1 && shape[3] != 3)) {
    fail(path, "u8 [N, H, W, 1 or 3]", images);
  }
  DatasetInfo info{.name = path.stem().string(),
                   .format = "npy",
                   .size = shape[0],
                   .channels = shape[3],
                   .height = shape[1],
                   .width = shape[2]};
  const fs::path labels_path = path.parent_path() / (path.stem().string() + ".labels.npy");
  std::vector<int32_t> labels;
  if (fs::exists(labels_path)) {
    labels = read_labels(labels_path, info.size);
    info.num_classes = labels.empty() ? 1 : *std::ranges::max_element(labels) + 1;
  }

  const std::span<const uint8_t> values = images.as<uint8_t>();
  std::vector<uint8_t> pixels(values.size());
  const auto bytes = static_cast<size_t>(info.image_bytes());
  for (size_t at = 0; at < pixels.size(); at += bytes) {
    to_planes(values.subspan(at, bytes), info.channels, std::span(pixels).subspan(at, bytes));
  }
  return std::make_unique<MemoryDataset>(std::move(info), std::move(pixels), std::move(labels),
                                         options);
}

}  // namespace halfstep::data
