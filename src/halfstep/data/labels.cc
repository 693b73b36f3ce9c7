#include "halfstep/data/labels.h"

#include <algorithm>

#include "halfstep/core/error.h"

namespace halfstep::data {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& expected,
                       const io::Array& array) {
  throw FormatError("labels", where + ": expected " + expected + ", received " +
                                  std::string(io::name_of(array.dtype)) + " " +
                                  io::to_string(array.shape));
}

std::vector<int64_t> integers_of(const io::Array& array, const std::string& where) {
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
      fail(where, "integers", array);
  }
}

}  // namespace

std::vector<int32_t> labels_of_array(const io::Array& array, int64_t size, int64_t first,
                                     const std::string& where) {
  constexpr int64_t kMaxLabel = 1'000'000;
  if (array.shape.size() != 1 || array.shape[0] != size) {
    fail(where, "labels [" + std::to_string(size) + "]", array);
  }
  std::vector<int32_t> labels;
  labels.reserve(static_cast<size_t>(size));
  for (const int64_t label : integers_of(array, where)) {
    if (label < first || label > kMaxLabel) {
      throw FormatError("labels", where + ": expected labels from " + std::to_string(first) +
                                      " to " + std::to_string(kMaxLabel) + ", received " +
                                      std::to_string(label));
    }
    labels.push_back(static_cast<int32_t>(label - first));
  }
  return labels;
}

int64_t num_classes_of(const std::vector<int32_t>& labels) {
  return labels.empty() ? 1 : *std::ranges::max_element(labels) + 1;
}

void add_class_warnings(const std::vector<int32_t>& labels, DatasetInfo& info) {
  constexpr int64_t kNamed = 10;
  if (labels.empty() || info.num_classes < 2) return;
  std::vector<bool> has_images(static_cast<size_t>(info.num_classes));
  for (const int32_t label : labels) has_images[static_cast<size_t>(label)] = true;
  int64_t empty = 0;
  std::string names;
  for (size_t k = 0; k < has_images.size(); ++k) {
    if (has_images[k] || empty++ >= kNamed) continue;
    names += (empty > 1 ? ", " : "") +
             (k < info.class_names.size() ? one_line(info.class_names[k]) : std::to_string(k));
  }
  if (empty == 0) return;
  info.warnings.push_back(std::to_string(empty) + " of " + std::to_string(info.num_classes) +
                          " classes " + (empty == 1 ? "has" : "have") + " no images: " + names +
                          (empty > kNamed ? ", ..." : "") +
                          (has_images[0] ? "" : "; labels are expected to begin at 0"));
}

}  // namespace halfstep::data
