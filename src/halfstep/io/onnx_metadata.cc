#include "halfstep/io/onnx_metadata.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/random_access.h"

namespace halfstep::io {
namespace {

// Fields of ModelProto and of StringStringEntryProto.
constexpr int kGraph = 7;
constexpr int kMetadataProps = 14;
constexpr int kKey = 1;
constexpr int kValue = 2;

constexpr int kMostFields = 10'000;  // of a message
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 28;

// Calls visit(reader) for each field of a message.
template <class Visit>
void for_each_field(ProtoReader message, const std::string& name, const Visit& visit) {
  for (int fields = 1; message.next(); ++fields) {
    if (fields > kMostFields) {
      throw FormatError(name, "expected an ONNX model with messages of at most " +
                                  std::to_string(kMostFields) + " fields, received more");
    }
    visit(message);
  }
}

}  // namespace

std::map<std::string, std::string> read_onnx_metadata(const ProtoReader::ReadAt& read,
                                                      std::uint64_t size, const std::string& name) {
  std::map<std::string, std::string> metadata;
  bool has_graph = false;
  std::uint64_t left = kMostBytes;
  for_each_field({read, 0, size, name}, name, [&](const ProtoReader& field) {
    if (field.field() == kGraph) has_graph = true;
    if (field.field() != kMetadataProps) return;
    std::string key;
    std::string value;
    for_each_field(field.message(), name, [&](const ProtoReader& part) {
      if (part.field() == kKey) key = part.bytes(left);
      if (part.field() == kValue) value = part.bytes(left);
    });
    left -= std::min<std::uint64_t>(left, key.size() + value.size());
    metadata.insert_or_assign(std::move(key), std::move(value));
  });
  if (!has_graph)
    throw FormatError(name, "expected an ONNX model, received a file without a graph");
  return metadata;
}

std::map<std::string, std::string> read_onnx_metadata(const std::filesystem::path& path) {
  const RandomAccessFile file(path);
  return read_onnx_metadata(
      [&](std::uint64_t offset, std::span<std::byte> to) { file.read_at(offset, to); }, file.size(),
      path.string());
}

}  // namespace halfstep::io
