// Safetensors files: named tensors and a map of strings.
//
//   8 bytes   N, the length of the header, little endian
//   N bytes   JSON: {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3],
//             "data_offsets": [begin, end]}, ...}, padded with spaces
//   the rest  the data; offsets count from here; no holes, no overlaps, nothing after the last
//
// Files are hostile until proven: lengths, offsets, shapes and types are checked against the size
// of the file before anything is used. Element types: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
#ifndef HALFSTEP_IO_SAFETENSORS_H_
#define HALFSTEP_IO_SAFETENSORS_H_

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "halfstep/io/array.h"

namespace halfstep::io {

// A whole file in memory, read once. Views live as long as this object (moving it keeps them) and
// are aligned for their element type whatever the file's layout.
class SafetensorsFile {
 public:
  // IoError if it cannot be read, FormatError if it is not a sound safetensors file.
  explicit SafetensorsFile(const std::filesystem::path& path);
  // The same from memory; `name` stands for the path in messages.
  SafetensorsFile(std::vector<std::byte> contents, std::string name);

  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, ArrayView>& tensors() const { return tensors_; }
  // FormatError, naming what is there, if there is no such tensor.
  const ArrayView& at(const std::string& name) const;

 private:
  void parse();

  std::string name_;
  std::vector<std::byte> contents_;
  std::vector<std::vector<std::byte>> realigned_;  // copies of tensors that lay askew in the file
  std::map<std::string, std::string> metadata_;
  std::map<std::string, ArrayView> tensors_;
};

// Writes atomically (see io/file.h). The data follow in order of falling element size, then name,
// so that each tensor is aligned for its type; the same input gives the same bytes. ConfigError for
// a tensor called "__metadata__" or text that is not UTF-8, FormatError for a view whose bytes do
// not fit its shape, IoError if it cannot be written.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, ArrayView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_SAFETENSORS_H_
