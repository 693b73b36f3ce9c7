#include "halfstep/model/tensor_io.h"

#include <array>
#include <cstring>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"

namespace halfstep {
namespace {

constexpr auto kTypes =
    std::to_array<std::pair<io::DType, at::ScalarType>>({{io::DType::f64, at::kDouble},
                                                         {io::DType::f32, at::kFloat},
                                                         {io::DType::f16, at::kHalf},
                                                         {io::DType::bf16, at::kBFloat16},
                                                         {io::DType::i64, at::kLong},
                                                         {io::DType::i32, at::kInt},
                                                         {io::DType::i16, at::kShort},
                                                         {io::DType::i8, at::kChar},
                                                         {io::DType::u8, at::kByte},
                                                         {io::DType::boolean, at::kBool}});

}  // namespace

io::Array to_array(const Tensor& tensor) {
  const Tensor plain = tensor.detach().cpu().contiguous();
  for (const auto& [dtype, scalar] : kTypes) {
    if (scalar != plain.scalar_type()) continue;
    io::Array array{dtype, plain.sizes().vec(), {}};
    array.bytes.resize(plain.nbytes());
    if (plain.nbytes() > 0) std::memcpy(array.bytes.data(), plain.const_data_ptr(), plain.nbytes());
    return array;
  }
  throw ConfigError("to_array", std::string("element type: expected a real number, received ") +
                                    at::toString(plain.scalar_type()));
}

Tensor to_tensor(const io::ArrayView& array) {
  io::require_consistent(array, "to_tensor");
  for (const auto& [dtype, scalar] : kTypes) {
    if (dtype != array.dtype) continue;
    Tensor tensor = at::empty(array.shape, at::TensorOptions().dtype(scalar));
    if (!array.bytes.empty())
      std::memcpy(tensor.mutable_data_ptr(), array.bytes.data(), array.bytes.size());
    return tensor;
  }
  throw FormatError("to_tensor", "unknown element type");
}

Tensor to_tensor(const io::Image& image) {
  auto* pixels = const_cast<uint8_t*>(image.pixels.data());  // only read
  return at::from_blob(pixels, {1, image.height, image.width, image.channels},
                       at::TensorOptions().dtype(at::kByte))
      .permute({0, 3, 1, 2})
      .clone(at::MemoryFormat::Contiguous);
}

void write_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors) {
  std::map<std::string, io::Array> arrays;
  std::map<std::string, io::ArrayView> views;
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) continue;
    arrays.emplace(name, to_array(tensor));
    views.emplace(name, arrays.at(name).view());
  }
  io::write_npz(path, views);
}

}  // namespace halfstep
