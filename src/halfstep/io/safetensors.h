// Safetensors files: named tensors and a map of strings as metadata.
//
//   8 bytes   N, the length of the header, little endian
//   N bytes   JSON: {"__metadata__": {"key": "text"}, "name": {"dtype": "F32", "shape": [2, 3],
//             "data_offsets": [begin, end]}, ...}, padded with spaces
//   the rest  the data; offsets are relative to its beginning; no gaps, overlaps or trailing bytes
//
// Files are not trusted: lengths, offsets, shapes and types are checked against the size of the
// file before anything is used. Element types: F64 F32 F16 BF16 I64 I32 I16 I8 U8 BOOL.
#ifndef HALFSTEP_IO_SAFETENSORS_H_
#define HALFSTEP_IO_SAFETENSORS_H_

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "halfstep/io/array.h"

namespace halfstep::io {

// A whole file in memory. Views stay valid as long as this object lives, also if it is moved, and
// are aligned for their element type whatever the layout of the file. Const calls are thread-safe.
class SafetensorsFile {
 public:
  // Throws IoError if the file cannot be read and FormatError if it is not a valid safetensors
  // file.
  explicit SafetensorsFile(const std::filesystem::path& path);
  // The same for a file in memory; `name` is used in messages.
  SafetensorsFile(std::vector<std::byte> contents, std::string name);

  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;
  SafetensorsFile(const SafetensorsFile&) = delete;
  SafetensorsFile& operator=(const SafetensorsFile&) = delete;

  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::map<std::string, ArrayView>& tensors() const { return tensors_; }
  // Returns a tensor by name. Throws FormatError, listing the existing names, if there is none.
  const ArrayView& at(const std::string& name) const;

 private:
  void parse();

  std::string name_;
  std::vector<std::byte> contents_;
  std::vector<std::vector<std::byte>>
      realigned_;  // copies of tensors that are misaligned in the file
  std::map<std::string, std::string> metadata_;
  std::map<std::string, ArrayView> tensors_;
};

// Writes a file atomically (see io/file.h). Tensors are sorted by descending element size and then
// by name, so that each is aligned for its type; the same input gives the same bytes. Throws
// ConfigError for a tensor called "__metadata__" or text that is not UTF-8, FormatError for a view
// whose bytes do not match its shape, and IoError if the file cannot be written.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, ArrayView>& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_SAFETENSORS_H_
