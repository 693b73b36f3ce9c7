// Conversion between tensors and the LibTorch-free arrays that are in files.
#ifndef HALFSTEP_MODEL_TENSOR_IO_H_
#define HALFSTEP_MODEL_TENSOR_IO_H_

#include <filesystem>
#include <map>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/io/array.h"
#include "halfstep/io/image.h"

namespace halfstep {

// Copies a tensor to the CPU, in C order. Throws ConfigError for element types that files cannot
// hold, such as complex numbers.
io::Array to_array(const Tensor& tensor);

// Copies an array to a tensor of the same element type. Throws FormatError if the number of bytes
// does not match the shape.
Tensor to_tensor(const io::ArrayView& array);

// Copies an image to uint8 [1, C, H, W].
Tensor to_tensor(const io::Image& image);

// Writes the tensors that are defined, by name, with io::write_npz.
void write_npz(const std::filesystem::path& path, const std::map<std::string, Tensor>& tensors);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_TENSOR_IO_H_
