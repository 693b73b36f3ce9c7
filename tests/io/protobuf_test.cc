#include "halfstep/io/protobuf.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/hex.h"

namespace halfstep::io {
namespace {

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) text += hex_digits(static_cast<unsigned char>(c));
  return text;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

ProtoReader reader_of(const std::string& text) {
  const auto read = [text](std::uint64_t offset, std::span<std::byte> to) {
    ASSERT_LE(offset + to.size(), text.size());
    std::copy_n(bytes_of(text).begin() + static_cast<std::ptrdiff_t>(offset), to.size(),
                to.begin());
  };
  return {read, 0, text.size(), "message"};
}

// The examples of the specification, protobuf.dev/programming-guides/encoding.
TEST(ProtoMessage, HasTheBytesOfTheSpecification) {
  ProtoMessage integer;
  integer.integer(1, 150);
  EXPECT_EQ(hex(integer.text()), "089601");
  ProtoMessage negative;
  negative.integer(1, -2);
  EXPECT_EQ(hex(negative.text()), "08feffffffffffffffff01");
  ProtoMessage text;
  text.bytes(2, "testing");
  EXPECT_EQ(hex(text.text()), "120774657374696e67");
  ProtoMessage outer;
  outer.message(3, integer);
  EXPECT_EQ(hex(outer.text()), "1a03089601");
}

TEST(ProtoMessage, HasNumbersInLittleEndianAndLongKeys) {
  ProtoMessage message;
  message.float32(1, 1.0F);
  message.float64(2, -2.0);
  message.integer(20, 0);
  message.integer(16, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(hex(message.text()),
            "0d0000803f"
            "1100000000000000c0"
            "a00100"
            "800180808080808080808001");
}

TEST(ProtoMessage, ViewsAreWrittenInTheirPlace) {
  const std::string large = "12345";
  const std::string empty;
  ProtoMessage inner;
  inner.integer(1, 1);
  inner.view(9, bytes_of(large));
  inner.view(9, bytes_of(empty));
  inner.integer(2, 2);
  ProtoMessage outer;
  outer.bytes(2, "before");
  outer.message(5, inner);
  outer.message(5, inner);
  outer.bytes(2, "after");

  ProtoMessage copied;
  copied.integer(1, 1);
  copied.bytes(9, large);
  copied.bytes(9, empty);
  copied.integer(2, 2);
  ProtoMessage expected;
  expected.bytes(2, "before");
  expected.message(5, copied);
  expected.message(5, copied);
  expected.bytes(2, "after");
  EXPECT_EQ(outer.text(), expected.text());
  EXPECT_EQ(outer.size(), expected.text().size());

  bool saw_view = false;
  outer.for_each_piece([&](std::string_view piece) { saw_view |= piece.data() == large.data(); });
  EXPECT_TRUE(saw_view) << "the view was copied";
}

TEST(ProtoReader, ReadsWhatWasWritten) {
  ProtoMessage inner;
  inner.integer(1, 150);
  ProtoMessage message;
  message.integer(1, -2);
  message.float32(2, 1.0F);
  message.float64(3, 1.0);
  message.bytes(4, "text");
  message.message(1000, inner);
  ProtoReader reader = reader_of(message.text());
  std::vector<int> fields;
  while (reader.next()) {
    fields.push_back(reader.field());
    if (reader.field() == 1) {
      EXPECT_EQ(static_cast<std::int64_t>(reader.integer()), -2);
    }
    if (reader.field() == 4) {
      EXPECT_EQ(reader.bytes(4), "text");
    }
    if (reader.field() != 1000) continue;
    ProtoReader nested = reader.message();
    ASSERT_TRUE(nested.next());
    EXPECT_EQ(nested.integer(), 150u);
    EXPECT_FALSE(nested.next());
  }
  EXPECT_EQ(fields, (std::vector<int>{1, 2, 3, 4, 1000}));
  EXPECT_FALSE(reader_of("").next());
}

TEST(ProtoReader, RefusesMalformedMessages) {
  const auto expect_refused = [](const std::string& text, const std::string& why) {
    ProtoReader reader = reader_of(text);
    try {
      while (reader.next()) {
      }
      ADD_FAILURE() << hex(text) << " was read";
    } catch (const FormatError& error) {
      EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
    }
  };
  expect_refused("\x08", "the end of the message");      // no value
  expect_refused("\x08\x96", "the end of the message");  // half a varint
  expect_refused("\x80", "the end of the message");      // half a key
  expect_refused(std::string(11, '\xff'), "at most 10 bytes");
  expect_refused("\x12\x07testin", "at most 6 bytes");  // a byte is missing
  expect_refused("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "at most 0 bytes");
  expect_refused(std::string("\x0d\x00\x00\x80", 4), "at most 3 bytes");
  expect_refused(std::string("\x00\x01", 2), "a field number");
  expect_refused("\x0b", "wire type");  // groups
  expect_refused("\x0c", "wire type");
  expect_refused("\x0e", "wire type");

  ProtoReader number = reader_of("\x08\x01");
  ASSERT_TRUE(number.next());
  EXPECT_THROW(number.bytes(100), FormatError);
  EXPECT_THROW(number.message(), FormatError);
  ProtoReader text = reader_of("\x12\x07testing");
  ASSERT_TRUE(text.next());
  EXPECT_THROW(text.bytes(6), FormatError);
}

}  // namespace
}  // namespace halfstep::io
