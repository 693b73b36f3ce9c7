// The metadata of ONNX files.
#ifndef HALFSTEP_IO_ONNX_METADATA_H_
#define HALFSTEP_IO_ONNX_METADATA_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "halfstep/io/protobuf.h"

namespace halfstep::io {

// Reads metadata_props of an ONNX model: text by key, the last of equal keys. Reads nothing of the
// graph, which is most of the file. Throws IoError if the file cannot be read, FormatError if it is
// not a protocol buffer, has no graph, or has more than 10,000 fields or 256 MiB of metadata.
std::map<std::string, std::string> read_onnx_metadata(const std::filesystem::path& path);
// The same for `size` bytes that `read` returns; `name` is used in messages.
std::map<std::string, std::string> read_onnx_metadata(const ProtoReader::ReadAt& read,
                                                      std::uint64_t size, const std::string& name);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_ONNX_METADATA_H_
