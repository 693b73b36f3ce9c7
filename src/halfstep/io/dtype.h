// The element types that files carry. Torch-free: nn/ and model/ map them to tensor types.
#ifndef HALFSTEP_IO_DTYPE_H_
#define HALFSTEP_IO_DTYPE_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace halfstep::io {

enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u8, boolean };

// Bytes of one element; `boolean` takes one.
std::size_t size_of(DType dtype);

// "f32", "boolean", ...: the enumerator's own name, for messages.
std::string_view name_of(DType dtype);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_DTYPE_H_
