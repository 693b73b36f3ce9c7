// Typed arrays as files store them: C order, little-endian, without strides.
//
// Array owns its bytes and ArrayView refers to the bytes of another object. In both, bytes.size()
// must be count() * size_of(dtype); readers guarantee that and writers check it.
//
// Typed access, array.as<float>(), throws FormatError unless the element type, the size and the
// alignment fit. f16 and bf16 are accessed as std::uint16_t (their bits), boolean as std::uint8_t
// (a file may contain values other than 0 and 1).
#ifndef HALFSTEP_IO_ARRAY_H_
#define HALFSTEP_IO_ARRAY_H_

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/io/dtype.h"

namespace halfstep::io {

// Returns the product of the sizes in `shape`, 1 for a scalar. Throws FormatError, naming `where`,
// for a negative size or if the product exceeds int64.
std::int64_t element_count(std::span<const std::int64_t> shape, std::string_view where = "array");

// Returns a shape as text, such as "[2, 3]", for messages.
std::string to_string(std::span<const std::int64_t> shape);

template <class T>
concept Element =
    std::same_as<T, double> || std::same_as<T, float> || std::same_as<T, std::uint16_t> ||
    std::same_as<T, std::int64_t> || std::same_as<T, std::int32_t> ||
    std::same_as<T, std::int16_t> || std::same_as<T, std::int8_t> || std::same_as<T, std::uint8_t>;

struct ArrayView {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;

  std::int64_t count() const { return element_count(shape); }
  template <Element T>
  std::span<const T> as() const;
};

struct Array {
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::vector<std::byte> bytes;

  std::int64_t count() const { return element_count(shape); }
  // Returns a view that is valid while this array lives and is not modified.
  ArrayView view() const { return {dtype, shape, bytes}; }
  template <Element T>
  std::span<const T> as() const;
};

// Throw FormatError, naming `where`, unless the shape, the dtype and the number of bytes agree.
void require_size(DType dtype, std::span<const std::int64_t> shape, std::uint64_t bytes,
                  std::string_view where);
void require_consistent(const ArrayView& view, std::string_view where);

namespace internal {

// Returns the element type that T stands for. f16 also stands for bf16, and u8 for boolean.
template <Element T>
constexpr DType dtype_of() {
  if constexpr (std::same_as<T, double>) return DType::f64;
  if constexpr (std::same_as<T, float>) return DType::f32;
  if constexpr (std::same_as<T, std::uint16_t>) return DType::f16;
  if constexpr (std::same_as<T, std::int64_t>) return DType::i64;
  if constexpr (std::same_as<T, std::int32_t>) return DType::i32;
  if constexpr (std::same_as<T, std::int16_t>) return DType::i16;
  if constexpr (std::same_as<T, std::int8_t>) return DType::i8;
  if constexpr (std::same_as<T, std::uint8_t>) return DType::u8;
}

void require_readable_as(DType wanted, DType dtype, std::span<const std::int64_t> shape,
                         std::span<const std::byte> bytes);

}  // namespace internal

template <Element T>
std::span<const T> ArrayView::as() const {
  internal::require_readable_as(internal::dtype_of<T>(), dtype, shape, bytes);
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

template <Element T>
std::span<const T> Array::as() const {
  internal::require_readable_as(internal::dtype_of<T>(), dtype, shape, bytes);
  return {reinterpret_cast<const T*>(bytes.data()), bytes.size() / sizeof(T)};
}

// Returns an Array with a copy of `values`. Throws FormatError if their number is not the product
// of `shape`.
template <Element T>
Array make_array(std::vector<std::int64_t> shape, std::span<const T> values) {
  Array array{internal::dtype_of<T>(), std::move(shape), {}};
  const auto bytes = std::as_bytes(values);
  array.bytes.resize(bytes.size());
  std::ranges::copy(bytes, array.bytes.begin());
  require_consistent(array.view(), "make_array");
  return array;
}

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_ARRAY_H_
