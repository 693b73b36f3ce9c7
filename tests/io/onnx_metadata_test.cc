#include "halfstep/io/onnx_metadata.h"

#include <gtest/gtest.h>

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

using Metadata = std::map<std::string, std::string>;

void add_metadata(ProtoMessage& model, const std::string& key, const std::string& value) {
  ProtoMessage entry;
  entry.bytes(1, key);
  entry.bytes(2, value);
  model.message(14, entry);
}

Metadata written_and_read(const ProtoMessage& model) {
  const TemporaryFolder folder;
  write_file(folder / "model.onnx", model.text());
  return read_onnx_metadata(folder / "model.onnx");
}

TEST(OnnxMetadata, IsReadWhereverItIsInTheFile) {
  const std::string weights(100'000, 'w');
  ProtoMessage model;
  model.integer(1, 8);
  add_metadata(model, "first", "1");
  model.bytes(7, weights);
  model.bytes(8, "opset");
  add_metadata(model, "second", "");
  add_metadata(model, "first", "2");
  model.bytes(14, "");  // neither key nor value
  EXPECT_EQ(written_and_read(model), (Metadata{{"", ""}, {"first", "2"}, {"second", ""}}));
}

TEST(OnnxMetadata, RefusesOtherFiles) {
  ProtoMessage without_graph;
  without_graph.integer(1, 8);
  add_metadata(without_graph, "key", "value");
  EXPECT_THROW(written_and_read(without_graph), FormatError);
  EXPECT_THROW(written_and_read({}), FormatError);
  ProtoMessage number;
  number.bytes(7, "graph");
  number.integer(14, 1);
  EXPECT_THROW(written_and_read(number), FormatError);
  EXPECT_THROW(read_onnx_metadata("/nonexistent.onnx"), IoError);
}

TEST(OnnxMetadata, IsBounded) {
  ProtoMessage many_fields;
  many_fields.bytes(7, "graph");
  ProtoMessage entry;
  for (int i = 0; i < 10'000; ++i) {
    many_fields.integer(1, 8);
    entry.integer(3, 0);
  }
  EXPECT_THROW(written_and_read(many_fields), FormatError);
  ProtoMessage deep;
  deep.bytes(7, "graph");
  entry.integer(3, 0);
  deep.message(14, entry);
  EXPECT_THROW(written_and_read(deep), FormatError);

  // A file of 512 MiB of metadata, without writing it.
  ProtoMessage head;
  head.bytes(7, "graph");
  std::string large = head.text() + "\x72";  // field 14, bytes
  constexpr std::uint64_t kSize = std::uint64_t{1} << 29;
  ProtoMessage value;
  value.integer(2, kSize);
  large += std::string("\x86\x80\x80\x80\x02", 5) + "\x12" + value.text().substr(1);
  const auto read = [&](std::uint64_t offset, std::span<std::byte> to) {
    ASSERT_LE(to.size(), 16u) << "the value is read";
    for (std::byte& byte : to) byte = static_cast<std::byte>(large.at(offset++));
  };
  EXPECT_THROW(read_onnx_metadata(read, large.size() + kSize, "large"), FormatError);
}

}  // namespace
}  // namespace halfstep::io
