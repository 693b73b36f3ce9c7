// The element types of arrays in files. LibTorch-free: model/ maps them to tensor types.
#ifndef HALFSTEP_IO_DTYPE_H_
#define HALFSTEP_IO_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace halfstep::io {

enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

// Returns the size of an element in bytes; 1 for `boolean`.
std::size_t size_of(DType dtype);

// Returns the name of the enumerator, such as "f32" or "boolean", for messages.
std::string_view name_of(DType dtype);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_DTYPE_H_
