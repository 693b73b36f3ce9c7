#include "python/bindings/dataset.h"

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/array.h"
#include "halfstep/io/hash.h"

namespace halfstep::python {

PythonDataset::PythonDataset(py::object examples) : examples_(std::move(examples)) {
  const auto shape = examples_.attr("shape").cast<std::vector<int64_t>>();
  info_.name = examples_.attr("name").cast<std::string>();
  info_.format = "python";
  info_.size = examples_.attr("size").cast<int64_t>();
  if (examples_.attr("images").cast<bool>()) {
    info_.channels = shape.at(0);
    info_.height = shape.at(1);
    info_.width = shape.at(2);
  } else {
    info_.float32_shape = shape;
  }
  info_.num_classes = examples_.attr("num_classes").cast<int64_t>();
  info_.class_names = examples_.attr("class_names").cast<std::vector<std::string>>();
}

PythonDataset::~PythonDataset() {
  const py::gil_scoped_acquire acquire;
  examples_ = py::object();
}

int32_t PythonDataset::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  const py::gil_scoped_acquire acquire;
  const auto [tensor, label] = examples_.attr("read")(index).cast<std::pair<at::Tensor, int32_t>>();
  if (tensor.nbytes() != chw.size() || !tensor.is_contiguous())
    throw Error("dataset", "expected an example of " + std::to_string(chw.size()) + " bytes");
  std::memcpy(chw.data(), tensor.const_data_ptr(), chw.size());
  return label;
}

std::string PythonDataset::fingerprint() const {
  io::Sha256 hash;
  const std::string about =
      info_.format + ' ' + std::to_string(info_.size) + ' ' + io::to_string(info_.shape()) +
      (info_.holds_images() ? " u8 " : " f32 ") + std::to_string(info_.num_classes) + '\n';
  hash.update(std::as_bytes(std::span(about)));
  std::vector<uint8_t> example(static_cast<size_t>(info_.example_bytes()));
  const int64_t count = std::min(info_.size, kHashed);
  for (int64_t i = 0; i < count; ++i) {
    const std::string label = std::to_string(read(i * info_.size / count, example)) + '\n';
    hash.update(std::as_bytes(std::span(label)));
    hash.update(std::as_bytes(std::span(example)));
  }
  return hash.hex();
}

}  // namespace halfstep::python
