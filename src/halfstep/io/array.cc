#include "halfstep/io/array.h"

#include "halfstep/core/error.h"

namespace halfstep::io {

std::int64_t element_count(std::span<const std::int64_t> shape, std::string_view where) {
  // A size of 0 must not hide an overflow of the other sizes: their product is used for strides.
  std::int64_t product = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) {
      throw FormatError(where, "shape: expected sizes >= 0, received " + to_string(shape));
    }
    empty = empty || size == 0;
    if (size > 0 && __builtin_mul_overflow(product, size, &product)) {
      throw FormatError(where,
                        "shape: expected fewer than 2^63 elements, received " + to_string(shape));
    }
  }
  return empty ? 0 : product;
}

std::string to_string(std::span<const std::int64_t> shape) {
  constexpr std::size_t kMaxShown = 16;
  std::string result = "[";
  for (std::size_t i = 0; i < shape.size() && i < kMaxShown; ++i) {
    result += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return result + (shape.size() > kMaxShown ? ", ...]" : "]");
}

void require_size(DType dtype, std::span<const std::int64_t> shape, std::uint64_t bytes,
                  std::string_view where) {
  const std::int64_t count = element_count(shape, where);
  std::int64_t size = 0;
  if (__builtin_mul_overflow(count, static_cast<std::int64_t>(size_of(dtype)), &size) ||
      static_cast<std::uint64_t>(size) != bytes) {
    throw FormatError(where, "size: expected " + std::to_string(count) + " elements of " +
                                 std::string(name_of(dtype)) + " for shape " + to_string(shape) +
                                 ", received " + std::to_string(bytes) + " bytes");
  }
}

void require_consistent(const ArrayView& view, std::string_view where) {
  require_size(view.dtype, view.shape, view.bytes.size(), where);
}

namespace internal {

void require_readable_as(DType wanted, DType dtype, std::span<const std::int64_t> shape,
                         std::span<const std::byte> bytes) {
  const bool same = dtype == wanted || (wanted == DType::f16 && dtype == DType::bf16) ||
                    (wanted == DType::u8 && dtype == DType::boolean);
  if (!same) {
    throw FormatError("array", "element type: expected " + std::string(name_of(wanted)) +
                                   ", received " + std::string(name_of(dtype)) + " of shape " +
                                   to_string(shape) + "; convert it to the expected type first");
  }
  require_consistent({dtype, {shape.begin(), shape.end()}, bytes}, "array");
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(dtype) != 0) {
    throw FormatError(
        "array", "alignment: expected data at a multiple of " + std::to_string(size_of(dtype)) +
                     " bytes for " + std::string(name_of(dtype)) +
                     ", received an unaligned address; copy the data into an Array first");
  }
}

}  // namespace internal

}  // namespace halfstep::io
